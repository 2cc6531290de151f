// SPDX-License-Identifier: GPL-2.0-or-later
#include "options.h"

#include "prim/err.h"

#include <assert.h>

/* Distances count twice, so that among equals the one that begins alike is nearer. Names of two letters
 * are near to everything: the limit grows with the word. */
static struct suggestion suggestion_for(struct str typed)
{
	return (struct suggestion){
		.typed = typed,
		.distance = 2 * (typed.n < 3 ? 2 : typed.n / 3 + 2),
	};
}

struct suggestion suggestion_start(const char *typed)
{
	return suggestion_for(str_from(typed));
}

void suggestion_offer(struct suggestion *s, struct str candidate)
{
	size_t distance = str_distance(s->typed, candidate);

	if (distance == SIZE_MAX || s->typed.n == 0 || candidate.n == 0)
		return;
	/* The first letters of a name are as good as a misspelling of it. */
	if (s->typed.n >= 2 && str_starts(candidate, s->typed))
		distance = 1;
	distance = 2 * distance + (s->typed.p[0] != candidate.p[0]);
	if (distance < s->distance) {
		s->distance = distance;
		s->best = candidate;
	}
}

bool opt_next_word(struct str *words, struct str *ret)
{
	if (!words->p)
		return false;
	*ret = str_cut(words, '|');
	return true;
}

static const struct opt *find_long(const struct opt_parse *p, struct str name)
{
	for (size_t t = 0; t < ARRAY_SIZE(p->tables) && p->tables[t]; t++)
		opt_foreach(o, p->tables[t])
			if (opt_is_option(o) && o->name && str_is(name, o->name))
				return o;
	return NULL;
}

static const struct opt *find_short(const struct opt_parse *p, char letter)
{
	for (size_t t = 0; t < ARRAY_SIZE(p->tables) && p->tables[t]; t++)
		opt_foreach(o, p->tables[t])
			if (opt_is_option(o) && o->letter == letter)
				return o;
	return NULL;
}

static const char *find_foreign(const struct opt_parse *p, struct str name)
{
	for (const struct opt_foreign *f = p->foreign; f && f->theirs; f++)
		if (str_is(name, f->theirs))
			return f->ours;
	return NULL;
}

static int unknown_long(const struct opt_parse *p, struct str name, struct diag *d)
{
	struct suggestion s = suggestion_for(name);
	const char *ours = find_foreign(p, name);

	for (size_t t = 0; t < ARRAY_SIZE(p->tables) && p->tables[t]; t++)
		opt_foreach(o, p->tables[t])
			if (opt_is_option(o) && o->name)
				suggestion_offer(&s, str_from(o->name));
	diag_fail(d, -ERR_USAGE, "unknown option '--%.*s'", STR_ARG(name));
	if (ours)
		return diag_hint(d, "%s", ours);
	if (s.best.p)
		return diag_hint(d, "did you mean '--%.*s'?", STR_ARG(s.best));
	return p->elsewhere ? diag_hint(d, "%s", p->elsewhere) : -ERR_USAGE;
}

/* How the option is called in messages: "--jobs", or "-C" when it has only a letter. */
static const char *shown(const struct opt *o, char room[3])
{
	room[0] = '-';
	room[1] = o->letter;
	room[2] = '\0';
	return o->name ? o->name : room;
}
#define SHOWN(o) (o)->name ? "--" : "", shown(o, (char[3]){ 0 })

static int set_number(const struct opt *o, const char *value, struct diag *d)
{
	uint64_t v;

	if (str_u64(str_from(value), &v) < 0)
		return diag_fail(d, -ERR_USAGE, "%s%s takes a whole number, not '%s'", SHOWN(o),
			value);
	if (v < o->min || v > o->max)
		return diag_fail(d, -ERR_USAGE, "%s%s takes a number from %ju to %ju", SHOWN(o),
			(uintmax_t)o->min, (uintmax_t)o->max);
	*o->to.number = v;
	return 0;
}

static int set_choice(const struct opt *o, const char *value, struct diag *d)
{
	struct suggestion s = suggestion_start(value);
	struct str words = str_from(o->value), word;

	assert(o->value);
	while (opt_next_word(&words, &word)) {
		if (str_is(word, value)) {
			*o->to.text = value;
			return 0;
		}
		suggestion_offer(&s, word);
	}
	diag_fail(d, -ERR_USAGE, "%s%s takes one of %s, not '%s'", SHOWN(o), o->value, value);
	return s.best.p ? diag_hint(d, "did you mean '%.*s'?", STR_ARG(s.best)) : -ERR_USAGE;
}

static int set_value(const struct opt *o, const char *value, struct diag *d)
{
	switch (o->kind) {
	case OPT_KIND_TEXT:
		*o->to.text = value;
		return 0;
	case OPT_KIND_NUMBER:
		return set_number(o, value, d);
	case OPT_KIND_CHOICE:
		return set_choice(o, value, d);
	case OPT_KIND_LIST:
		if (o->to.list->n == OPT_LIST_MAX)
			return diag_fail(d, -ERR_USAGE, "%s%s is given more than %d times",
				SHOWN(o), OPT_LIST_MAX);
		o->to.list->v[o->to.list->n++] = value;
		return 0;
	default:
		return -ERR_USAGE;
	}
}

struct walk {
	const struct opt_parse *p;
	char **argv;
	int n;		/* in argv */
	int at;		/* the next to look at */
	struct diag *d;
};

static int need_value(struct walk *w, const struct opt *o, const char **ret)
{
	if (w->at == w->n)
		return diag_fail(w->d, -ERR_USAGE, "%s%s needs a value: %s", SHOWN(o), o->value);
	*ret = w->argv[w->at++];
	return 0;
}

static int take_long(struct walk *w, const char *text)
{
	const char *equals = strchr(text, '=');
	struct str name = equals ? str_of(text, (size_t)(equals - text)) : str_from(text);
	const struct opt *o = find_long(w->p, name);
	const char *value = equals ? equals + 1 : NULL;
	int r;

	if (!o)
		return unknown_long(w->p, name, w->d);
	if (!opt_takes_value(o)) {
		if (value)
			return diag_fail(w->d, -ERR_USAGE, "--%s takes no value", o->name);
		*o->to.flag = true;
		return 0;
	}
	if (!value && (r = need_value(w, o, &value)) < 0)
		return r;
	return set_value(o, value, w->d);
}

/* A cluster of letters: flags, of which the last may be an option whose value is the rest or the next
 * argument. */
static int take_short(struct walk *w, const char *letters)
{
	for (; *letters; letters++) {
		const struct opt *o = find_short(w->p, *letters);
		const char *value = letters + 1;
		int r;

		if (!o) {
			const char *next = find_foreign(w->p, str_of(letters, 1));

			diag_fail(w->d, -ERR_USAGE, "unknown option '-%c'", *letters);
			next = next ? next : w->p->elsewhere;
			return next ? diag_hint(w->d, "%s", next) : -ERR_USAGE;
		}
		if (!opt_takes_value(o)) {
			*o->to.flag = true;
			continue;
		}
		if (!*value && (r = need_value(w, o, &value)) < 0)
			return r;
		return set_value(o, value, w->d);
	}
	return 0;
}

int opt_parse(const struct opt_parse *p, int *argc, char **argv, struct diag *d)
{
	struct walk w = { .p = p, .argv = argv, .n = *argc, .d = d };
	int kept = 0, r;

	while (w.at < w.n) {
		char *text = argv[w.at];

		if (strcmp(text, "--") == 0) {
			w.at++;
			break;
		}
		if (text[0] != '-' || !text[1]) {
			if (p->stop_at_argument)
				break;
			argv[kept++] = text;
			w.at++;
			continue;
		}
		w.at++;
		r = text[1] == '-' ? take_long(&w, text + 2) : take_short(&w, text + 1);
		if (r < 0)
			return r;
	}
	while (w.at < w.n)
		argv[kept++] = argv[w.at++];
	*argc = kept;
	return 0;
}

static int check_action(const struct opt *o, int argc, char *const *argv, struct diag *d)
{
	struct suggestion s;
	struct str words = str_from(o->value), word;

	assert(o->value);
	if (argc == 0)
		return diag_fail(d, -ERR_USAGE, "an action is missing: one of %s", o->value);
	s = suggestion_start(argv[0]);
	while (opt_next_word(&words, &word)) {
		if (str_is(word, argv[0]))
			return 0;
		suggestion_offer(&s, word);
	}
	diag_fail(d, -ERR_USAGE, "unknown action '%s': it is one of %s", argv[0], o->value);
	return s.best.p ? diag_hint(d, "did you mean '%.*s'?", STR_ARG(s.best)) : -ERR_USAGE;
}

int opt_check_args(const struct opt *table, int argc, char *const *argv, struct diag *d)
{
	uint64_t min = 0, max = 0;
	const char *name = NULL;
	int r;

	opt_foreach(o, table) {
		if (o->kind == OPT_KIND_ACTION) {
			r = check_action(o, argc, argv, d);
			if (r < 0)
				return r;
			argc--;
			argv++;
		} else if (o->kind == OPT_KIND_ARGS) {
			name = name ? name : o->value;
			min += o->min;
			max = o->max == OPT_ANY_NUMBER ? o->max : max + o->max;
			if (min > (uint64_t)argc)
				return diag_fail(d, -ERR_USAGE, "%s is missing", o->value);
		}
	}
	if ((uint64_t)argc > max)
		return diag_fail(d, -ERR_USAGE, "unexpected argument '%s'", argv[max]);
	return 0;
}
