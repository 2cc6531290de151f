// SPDX-License-Identifier: GPL-2.0-or-later
/* Reading a profile. A key that is not known is refused: it may have been meant to refuse a call. */
#include "engine/sandbox/seccomp.h"

#include "base/fd.h"
#include "base/toml.h"
#include "prim/embed.h"
#include "prim/err.h"

#include <errno.h>
#include <fcntl.h>

#define BASES_MAX	 4
#define SECCOMP_FILE_MAX (1u << 20)

EMBED(policies_seccomp_default_toml);
EMBED(policies_seccomp_script_toml);
EMBED(policies_seccomp_fetch_toml);

#if defined(__x86_64__)
#define ARCHITECTURE "x86_64"
#elif defined(__aarch64__)
#define ARCHITECTURE "aarch64"
#endif

struct reader {
	struct seccomp_profile *profile;
	struct toml_doc *doc;
	struct diag *d;
	unsigned depth;
};

static int read_text(struct seccomp_profile *p, struct str text, const char *file, unsigned depth,
	struct diag *d);

static struct str find_builtin(const char *name)
{
	if (strcmp(name, "default") == 0)
		return EMBEDDED(policies_seccomp_default_toml);
	if (strcmp(name, "script") == 0)
		return EMBEDDED(policies_seccomp_script_toml);
	if (strcmp(name, "fetch") == 0)
		return EMBEDDED(policies_seccomp_fetch_toml);
	return (struct str){ 0 };
}

static int no_profile(const char *name, struct diag *d)
{
	diag_fail(d, -ERR_CONTAINER, "there is no seccomp profile '%s'", name);
	return diag_hint(d, "there are default, script and fetch; a file is given by a path with a slash");
}

static int bad(const struct reader *r, const struct toml_node *at, const char *what)
{
	diag_fail(r->d, -ERR_CONTAINER, "seccomp profile: %s", what);
	return toml_where(r->doc, toml_place(at), r->d);
}

static int read_errno(const struct reader *r, const struct toml_node *node, int *ret)
{
	static const struct {
		const char *name;
		int error;
	} known[] = { { "EPERM", EPERM }, { "ENOSYS", ENOSYS }, { "EACCES", EACCES },
		{ "EAFNOSUPPORT", EAFNOSUPPORT }, { "EPROTONOSUPPORT", EPROTONOSUPPORT },
		{ "EINVAL", EINVAL }, { "ENOPROTOOPT", ENOPROTOOPT } };

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (str_is(toml_str(node), known[i].name)) {
			*ret = known[i].error;
			return 0;
		}
	return bad(r, node, "not an error that a call may give");
}

static int check_keys(const struct reader *r, const struct toml_node *table, const char *const *keys)
{
	for (size_t i = 0; i < toml_count(table); i++) {
		const char *const *k = keys;

		while (*k && !str_is(toml_key_at(table, i), *k))
			k++;
		if (!*k)
			return bad(r, toml_at(table, i), "a key that is not known");
	}
	return 0;
}

static int read_values(const struct reader *r, const struct toml_node *node,
	struct seccomp_condition *c)
{
	bool list = toml_kind(node) == TOML_ARRAY;
	size_t n = list ? toml_count(node) : 1;
	int64_t v;

	for (size_t i = 0; i < n; i++) {
		if (toml_int(list ? toml_at(node, i) : node, &v) < 0 || v < 0 || v > UINT32_MAX)
			return bad(r, node, "a value is a number of 32 bits");
		if (vec_push(&c->values, (uint32_t)v) < 0)
			return -ENOMEM;
	}
	return n ? 0 : bad(r, node, "no values");
}

static int read_condition(const struct reader *r, const struct toml_node *node,
	struct seccomp_rule *rule)
{
	static const char *const keys[] = { "argument", "one_of", "none_of", "any_bit", NULL };
	struct seccomp_condition c = { 0 };
	const struct toml_node *values = NULL;
	int64_t argument;
	int error = check_keys(r, node, keys);

	if (error < 0)
		return error;
	if (toml_int(toml_get(node, "argument"), &argument) < 0 || argument < 0 || argument > 5 ||
		toml_count(node) != 2)
		return bad(r, node, "a condition is an argument, 0 to 5, and one test");
	c.argument = (unsigned)argument;
	for (int i = SECCOMP_ONE_OF; i <= SECCOMP_ANY_BIT && !values; i++) {
		c.test = (enum seccomp_test)i;
		values = toml_get(node, keys[i + 1]);
	}
	error = read_values(r, values, &c);
	if (error == 0)
		error = vec_push(&rule->when, c);
	if (error < 0)
		vec_done(&c.values);
	return error;
}

static int read_rule(const struct reader *r, const struct toml_node *node, bool refuse)
{
	static const char *const keys[] = { "why", "calls", "error", "when", NULL };
	static const char *const allow_keys[] = { "why", "calls", NULL };
	const struct toml_node *calls = toml_get(node, "calls"), *when = toml_get(node, "when");
	struct arena *a = &r->profile->arena;
	struct seccomp_rule rule = { .why = arena_str(a, toml_str(toml_get(node, "why"))) };
	struct seccomp_rule *p;
	int error = check_keys(r, node, refuse ? keys : allow_keys);

	if (error < 0)
		return error;
	if (!toml_count(calls) || !rule.why.n)
		return bad(r, node, "a rule has calls and says why");
	if (refuse && !toml_get(node, "error"))
		return bad(r, node, "a refusal gives an error");
	if (refuse)
		error = read_errno(r, toml_get(node, "error"), &rule.error);
	if (error == 0)
		error = vec_push(&r->profile->rules, rule);
	if (error < 0)
		return error;
	p = &r->profile->rules.v[r->profile->rules.n - 1];
	for (size_t i = 0; i < toml_count(calls) && error == 0; i++) {
		struct str call = arena_str(a, toml_str(toml_at(calls, i)));

		error = call.n ? vec_push(&p->calls, call) : bad(r, calls, "a call is a name");
	}
	for (size_t i = 0; i < toml_count(when) && error == 0; i++)
		error = read_condition(r, toml_at(when, i), p);
	return error;
}

static int read_numbers(const struct reader *r, const struct toml_node *numbers)
{
	const struct toml_node *table = toml_get(numbers, ARCHITECTURE);
	int64_t number;
	int error = 0;

	for (size_t i = 0; i < toml_count(table) && error == 0; i++) {
		struct str call = arena_str(&r->profile->arena, toml_key_at(table, i));

		if (toml_int(toml_at(table, i), &number) < 0 || number < -1 || number > 0xffff)
			return bad(r, table, "a call's number is out of range");
		error = map_put(&r->profile->numbers, call, (void *)(intptr_t)(number + 2));
	}
	return error;
}

static int read_base(const struct reader *r, const struct toml_node *node)
{
	struct str name = toml_str(node), text;
	char copy[64];

	if (!node)
		return 0;
	if (r->depth == BASES_MAX || name.n >= sizeof(copy))
		return bad(r, node, "bases of bases go too deep");
	snprintf(copy, sizeof(copy), "%.*s", STR_ARG(name));
	text = find_builtin(copy);
	return text.p ? read_text(r->profile, text, copy, r->depth + 1, r->d) :
			bad(r, node, "there is no such base");
}

static int read_profile(const struct reader *r)
{
	static const char *const keys[] = { "version", "name", "base", "unknown", "allow", "refuse",
		"numbers", NULL };
	const struct toml_node *root = toml_root(r->doc), *node;
	int64_t version;
	int error = check_keys(r, root, keys);

	if (error == 0 && (toml_int(toml_get(root, "version"), &version) < 0 || version != 1))
		error = bad(r, root, "version is not 1");
	if (error == 0)
		error = read_base(r, toml_get(root, "base"));
	r->profile->name = arena_str(&r->profile->arena, toml_str(toml_get(root, "name")));
	if (error == 0 && toml_get(root, "unknown"))
		error = read_errno(r, toml_get(root, "unknown"), &r->profile->unknown);
	node = toml_get(root, "allow");
	for (size_t i = 0; i < toml_count(node) && error == 0; i++)
		error = read_rule(r, toml_at(node, i), false);
	node = toml_get(root, "refuse");
	for (size_t i = 0; i < toml_count(node) && error == 0; i++)
		error = read_rule(r, toml_at(node, i), true);
	return error < 0 ? error : read_numbers(r, toml_get(root, "numbers"));
}

static int read_text(struct seccomp_profile *p, struct str text, const char *file, unsigned depth,
	struct diag *d)
{
	_cleanup_(toml_free_p) struct toml_doc *doc = NULL;
	struct reader r = { p, NULL, d, depth };
	int error = toml_parse(&doc, text, file, d);

	r.doc = doc;
	return error < 0 ? error : read_profile(&r);
}

int seccomp_profile_parse(struct seccomp_profile *ret, struct str text, const char *file,
	struct diag *d)
{
	struct seccomp_profile p = { .unknown = ENOSYS };
	int error = read_text(&p, text, file, 0, d);

	if (error < 0)
		seccomp_profile_done(&p);
	else
		*ret = p;
	return error;
}

int seccomp_profile_load(struct seccomp_profile *ret, const char *name, struct diag *d)
{
	struct str text = find_builtin(name);

	return text.p ? seccomp_profile_parse(ret, text, name, d) : no_profile(name, d);
}

static int open_file(struct seccomp_profile *ret, const char *path, struct diag *d)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	int error = file_slurp(AT_FDCWD, path, &text, SECCOMP_FILE_MAX);

	if (error < 0) {
		diag_errno(d, error, "cannot read the seccomp profile");
		return diag_where(d, "%s", path);
	}
	error = seccomp_profile_parse(ret, buf_str(&text), path, d);
	if (error == 0 && !ret->name.n)
		ret->name = arena_str(&ret->arena, str_from(path));
	return error;
}

int seccomp_profile_open(struct seccomp_profile *ret, const char *which, struct diag *d)
{
	struct sock_fprog programs[SECCOMP_PROGRAMS];
	struct seccomp_profile p;
	int error = strchr(which, '/') ? open_file(&p, which, d) : seccomp_profile_load(&p, which, d);

	if (error < 0)
		return error;
	error = seccomp_compile(&p, programs, d);
	if (error < 0) {
		seccomp_profile_done(&p);
		return error;
	}
	for (size_t i = 0; i < SECCOMP_PROGRAMS; i++)
		free(programs[i].filter);
	*ret = p;
	return 0;
}

void seccomp_profile_done(struct seccomp_profile *p)
{
	vec_foreach(rule, &p->rules) {
		vec_foreach(c, &rule->when)
			vec_done(&c->values);
		vec_done(&rule->when);
		vec_done(&rule->calls);
	}
	vec_done(&p->rules);
	map_done(&p->numbers);
	arena_done(&p->arena);
}
