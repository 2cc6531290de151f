// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Completion scripts, made from the tables of options and the manual pages. Each script is data for
 * its shell, and calls nothing but `cratons ps`, for which containers there are.
 */
#include "commands.h"
#include "manpage.h"

#include "prim/err.h"

const struct opt completions_options[] = {
	OPT_ACTION("bash|zsh|fish"),
	OPT_END,
};

/* Everything that is written goes through one buffer, so that each call need not be checked. */
struct script {
	struct buf text;
	int error;
};

static void put(struct script *s, const char *format, ...) _printf_(2, 3);
static void put(struct script *s, const char *format, ...)
{
	va_list ap;
	int r;

	va_start(ap, format);
	r = buf_vaddf(&s->text, format, ap);
	va_end(ap);
	if (r < 0)
		s->error = r;
}

/* The first sentence of the page about an option, in one line without marks and quotes, which would
 * need another escaping in each shell. */
static void describe(const char *page, const struct opt *o, struct buf *ret)
{
	buf_reset(ret);
	if (manpage_option(ret, page, o->name, o->letter) < 0)
		return;
	for (size_t i = 0, to = 0; i <= ret->len; i++) {
		char ch = ret->data[i];

		if (ch && (unsigned char)ch < ' ' && ch != '\n')
			continue;
		if (strchr("'\"`$\\[]:", ch) && ch)
			continue;
		ret->data[to++] = ch == '\n' ? ' ' : ch;
		if (!ch)
			ret->len = to - 1;
	}
}

static const struct opt *action_of(const struct command *k)
{
	opt_foreach(o, k->options)
		if (o->kind == OPT_KIND_ACTION)
			return o;
	return NULL;
}

static bool wants_containers(const struct command *k)
{
	opt_foreach(o, k->options)
		if (o->kind == OPT_KIND_ARGS && strcmp(o->value, "CONTAINER") == 0)
			return true;
	return false;
}

/* Of a verb below another its own part of their page: options of two may have one name. */
static const char *page_of(const struct command *k, struct buf *room)
{
	buf_reset(room);
	return strchr(k->name, ' ') && manpage_below(room, k->page, command_word(k)) == 0 ?
		buf_text(room) : k->page;
}

/* Choices with spaces between; "" for a value that is free. */
static void put_choices(struct script *s, const char *choices)
{
	struct str words = str_from(choices), word;

	for (const char *space = ""; opt_next_word(&words, &word); space = " ")
		put(s, "%s%.*s", space, STR_ARG(word));
}

/* bash: words by verb. */

static void bash_options(struct script *s, const struct opt *table)
{
	opt_foreach(o, table) {
		if (!opt_is_option(o))
			continue;
		if (o->name)
			put(s, " --%s", o->name);
		if (o->letter)
			put(s, " -%c", o->letter);
	}
}

static void bash_values(struct script *s, const char *verb, const struct opt *table)
{
	opt_foreach(o, table) {
		if (!opt_takes_value(o))
			continue;
		if (o->name)
			put(s, "\t%s,--%s", verb, o->name);
		if (o->letter)
			put(s, "%s%s,-%c", o->name ? "|" : "\t", verb, o->letter);
		put(s, ") values=\"");
		if (o->kind == OPT_KIND_CHOICE)
			put_choices(s, o->value);
		put(s, "\" takes=y ;;\n");
	}
}

static void bash_verb(struct script *s, const struct command *k)
{
	const struct opt *action = action_of(k);

	put(s, "\t'%s') words=\"", k->name);
	if (action)
		put_choices(s, action->value);
	bash_options(s, k->options);
	put(s, " $global\"%s ;;\n", wants_containers(k) ? " containers=y" : "");
	for (const struct command *b = command_below(k); b && b->name; b++)
		bash_verb(s, b);
}

static void bash_verbs(struct script *s)
{
	put(s, "\tcase $verb in\n\t'') words=\"");
	for (const struct command *k = commands; k->name; k++)
		put(s, "%s ", k->name);
	put(s, "$global\" ;;\n");
	for (const struct command *k = commands; k->name; k++)
		bash_verb(s, k);
	put(s, "\tesac\n");
}

/* A verb and the one below it are found as "container run". */
static void bash_below(struct script *s)
{
	put(s, "\tcase $verb,${COMP_WORDS[i+1]} in\n");
	for (const struct command *k = commands; k->name; k++)
		for (const struct command *b = command_below(k); b && b->name; b++)
			put(s, "\t%s,%s) [ $((i + 1)) -ge $COMP_CWORD ] || verb='%s' ;;\n", k->name,
				command_word(b), b->name);
	put(s, "\tesac\n");
}

static void bash_all_values(struct script *s)
{
	_cleanup_buf_ struct buf quoted = BUF_INIT;

	bash_values(s, "*", global_options);
	for (const struct command *k = commands; k->name; k++) {
		bash_values(s, k->name, k->options);
		for (const struct command *b = command_below(k); b && b->name; b++) {
			buf_reset(&quoted);
			if (buf_addf(&quoted, "'%s'", b->name) == 0)
				bash_values(s, buf_text(&quoted), b->options);
		}
	}
}

static void bash(struct script *s)
{
	put(s, "# bash completion for cratons\n"
	       "_cratons() {\n"
	       "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
	       "\tlocal verb= words= values= takes= containers= i global=\"");
	bash_options(s, global_options);
	put(s, "\"\n"
	       "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	       "\t\tcase ${COMP_WORDS[i]} in\n"
	       "\t\t-C | --color) i=$((i + 1)) ;;\n"
	       "\t\t-*) ;;\n"
	       "\t\t*) verb=${COMP_WORDS[i]}; break ;;\n"
	       "\t\tesac\n"
	       "\tdone\n");
	bash_below(s);
	put(s, "\tif [ \"$prev\" = = ]; then\n"
	       "\t\tprev=${COMP_WORDS[COMP_CWORD-2]}\n"
	       "\telif [ \"$cur\" = = ]; then\n"
	       "\t\tcur=\n"
	       "\tfi\n"
	       "\tcase \"$verb,$prev\" in\n");
	bash_all_values(s);
	put(s, "\tesac\n"
	       "\tif [ -n \"$takes\" ]; then\n"
	       "\t\tif [ -n \"$values\" ]; then\n"
	       "\t\t\tCOMPREPLY=($(compgen -W \"$values\" -- \"$cur\"))\n"
	       "\t\telse\n"
	       "\t\t\tCOMPREPLY=($(compgen -f -- \"$cur\"))\n"
	       "\t\tfi\n"
	       "\t\treturn\n"
	       "\tfi\n");
	bash_verbs(s);
	put(s, "\tif [ -n \"$containers\" ]; then\n"
	       "\t\twords=\"$words $(\"${COMP_WORDS[0]}\" ps --all --quiet 2>/dev/null)\"\n"
	       "\tfi\n"
	       "\tCOMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
	       "}\n"
	       "complete -o default -F _cratons cratons\n");
}

/* zsh: one _arguments specification an option. */

static void zsh_options(struct script *s, const struct opt *table, const char *page)
{
	_cleanup_buf_ struct buf text = BUF_INIT;

	opt_foreach(o, table) {
		if (!opt_is_option(o))
			continue;
		describe(page, o, &text);
		for (int form = 0; form < 2; form++) {
			if (form == 0 ? !o->name : !o->letter)
				continue;
			if (form == 0)
				put(s, "\t\t'*--%s%s", o->name, opt_takes_value(o) ? "=" : "");
			else
				put(s, "\t\t'*-%c%s", o->letter, opt_takes_value(o) ? "+" : "");
			put(s, "[%s]", buf_text(&text));
			if (o->kind == OPT_KIND_CHOICE) {
				put(s, ":value:(");
				put_choices(s, o->value);
				put(s, ")");
			} else if (opt_takes_value(o)) {
				put(s, ":%s:_files", o->value);
			}
			put(s, "' \\\n");
		}
	}
}

static void zsh_verb(struct script *s, const struct command *k)
{
	const struct command *below = command_below(k);
	const struct opt *action = action_of(k);
	_cleanup_buf_ struct buf page = BUF_INIT;

	put(s, "\t%s)\n\t\t_arguments %s$global \\\n", command_word(k), below ? "-C " : "");
	zsh_options(s, k->options, page_of(k, &page));
	if (action) {
		put(s, "\t\t'1:action:(");
		put_choices(s, action->value);
		put(s, ")' \\\n");
	}
	if (!below) {
		put(s, "\t\t'*:argument:%s'\n\t\t;;\n", wants_containers(k) ? "_cratons_containers" :
			"_files");
		return;
	}
	put(s, "\t\t'*::argument:->below' && return\n\tcase $line[1] in\n");
	for (; below->name; below++)
		zsh_verb(s, below);
	put(s, "\tesac\n\t\t;;\n");
}

static void zsh(struct script *s)
{
	put(s, "#compdef cratons\n"
	       "_cratons_containers() { compadd -- $(cratons ps --all --quiet 2>/dev/null) }\n"
	       "_cratons() {\n"
	       "\tlocal curcontext=$curcontext state line\n"
	       "\tlocal -a global verbs\n"
	       "\tglobal=( \\\n");
	zsh_options(s, global_options, global_page());
	put(s, "\t)\n\tverbs=(\n");
	for (const struct command *k = commands; k->name; k++)
		put(s, "\t\t'%s:%s'\n", k->name, k->summary);
	put(s, "\t)\n"
	       "\t_arguments -C $global '1:command:->verb' '*::argument:->rest' && return\n"
	       "\tcase $state in\n"
	       "\tverb) _describe -t commands command verbs; return ;;\n"
	       "\tesac\n"
	       "\tcase $line[1] in\n");
	for (const struct command *k = commands; k->name; k++)
		zsh_verb(s, k);
	put(s, "\tesac\n"
	       "}\n"
	       "if [ \"$funcstack[1]\" = _cratons ]; then _cratons \"$@\"\n"
	       "else compdef _cratons cratons; fi\n");
}

/* fish: one complete line an option. A verb's condition is that it was seen, and not below another. */

static void fish_when(struct script *s, const struct command *k)
{
	struct str rest = str_from(k->name), first = str_cut(&rest, ' ');

	put(s, "complete -c cratons -n '");
	for (const struct command *p = commands; p->name && !rest.p; p++)
		if (p != k && command_below(p))
			put(s, "not __fish_seen_subcommand_from %s; and ", p->name);
	put(s, "__fish_seen_subcommand_from %.*s", STR_ARG(first));
	if (rest.p)
		put(s, "; and __fish_seen_subcommand_from %.*s", STR_ARG(rest));
	for (const struct command *b = command_below(k); b && b->name; b++)
		put(s, "%s %s", b == command_below(k) ? "; and not __fish_seen_subcommand_from" : "",
			command_word(b));
	put(s, "'");
}

static void fish_options(struct script *s, const struct opt *table, const char *page,
	const struct command *k)
{
	_cleanup_buf_ struct buf text = BUF_INIT;

	opt_foreach(o, table) {
		if (!opt_is_option(o))
			continue;
		if (k)
			fish_when(s, k);
		else
			put(s, "complete -c cratons");
		if (o->name)
			put(s, " -l %s", o->name);
		if (o->letter)
			put(s, " -s %c", o->letter);
		if (o->kind == OPT_KIND_CHOICE) {
			put(s, " -x -a '");
			put_choices(s, o->value);
			put(s, "'");
		} else if (opt_takes_value(o)) {
			put(s, " -r");
		}
		describe(page, o, &text);
		put(s, " -d '%s'\n", buf_text(&text));
	}
}

static void fish_verb(struct script *s, const struct command *k)
{
	const struct opt *action = action_of(k);
	_cleanup_buf_ struct buf page = BUF_INIT;

	fish_options(s, k->options, page_of(k, &page), k);
	if (action) {
		fish_when(s, k);
		put(s, " -f -a '");
		put_choices(s, action->value);
		put(s, "'\n");
	}
	if (wants_containers(k)) {
		fish_when(s, k);
		put(s, " -f -a '(cratons ps --all --quiet 2>/dev/null)'\n");
	}
	for (const struct command *b = command_below(k); b && b->name; b++)
		fish_verb(s, b);
}

static void fish(struct script *s)
{
	put(s, "# fish completion for cratons\n");
	fish_options(s, global_options, global_page(), NULL);
	for (const struct command *k = commands; k->name; k++) {
		put(s, "complete -c cratons -n __fish_use_subcommand -f -a %s -d '%s'\n", k->name,
			k->summary);
		fish_verb(s, k);
	}
}

int cmd_completions(struct cmd *c)
{
	struct script s = { 0 };

	if (strcmp(c->argv[0], "bash") == 0)
		bash(&s);
	else if (strcmp(c->argv[0], "zsh") == 0)
		zsh(&s);
	else
		fish(&s);
	if (s.error == 0)
		cmd_write(c, buf_str(&s.text));
	buf_done(&s.text);
	return s.error;
}
