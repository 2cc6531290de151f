// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands.h"

#include "engine/registry/registry.h"
#include "prim/err.h"

#include <errno.h>

static bool arg_batch, arg_loose, arg_strict, arg_prerelease;

const struct opt version_options[] = {
	OPT_FLAG("batch", 0, &arg_batch),
	OPT_FLAG("loose", 0, &arg_loose),
	OPT_FLAG("strict", 0, &arg_strict),
	OPT_FLAG("prerelease", 0, &arg_prerelease),
	OPT_ACTION("match|cmp|sort"),
	OPT_ARGS("ECOSYSTEM", 1, 1),
	OPT_ARGS("ARGUMENT", 0, OPT_ANY_NUMBER),
	OPT_END,
};

static const struct version_scheme *find_scheme(const char *name, struct diag *d)
{
	const struct ecosystem *e = ecosystem_find(str_from(name));

	if (e)
		return e->versions;
	diag_fail(d, -ERR_USAGE, "unknown ecosystem '%s'", name);
	diag_hint(d, "known: npm");
	return NULL;
}

static unsigned parse_flags(enum version_op op)
{
	bool loose = op == VERSION_MATCH ? !arg_strict : arg_loose;

	return (loose ? VERSION_LOOSE : 0) | (arg_prerelease ? VERSION_PRERELEASE : 0);
}

static int answer(struct cmd *c, const struct version_scheme *s, enum version_op op)
{
	_cleanup_arena_ struct arena a = ARENA_INIT;
	struct str left, right;
	const char *text;

	if (c->argc != 4)
		return diag_fail(&c->diag, -ERR_USAGE, "%s after the ecosystem",
			op == VERSION_MATCH ? "match takes a requirement and a version" :
			"cmp takes two versions");
	left = str_from(c->argv[2]);
	right = str_from(c->argv[3]);
	text = (op == VERSION_MATCH ? version_match : version_cmp)(s, &a, left, right,
		parse_flags(op));
	if (c->use_json)
		json_out_text(&c->json, text);
	else
		cmd_print(c, "%s\n", text);
	return strcmp(text, "invalid") == 0 ? EXIT_ERROR : 0;
}

static int sort(struct cmd *c, const struct version_scheme *s)
{
	_cleanup_arena_ struct arena a = ARENA_INIT;
	size_t n = (size_t)c->argc - 2;
	struct str *texts = arena_newn(&a, struct str, n + 1);
	int r;

	if (!texts)
		return diag_errno(&c->diag, -ENOMEM, "sort");
	for (size_t i = 0; i < n; i++)
		texts[i] = str_from(c->argv[i + 2]);
	r = version_sort(s, &a, texts, n, parse_flags(VERSION_SORT), &c->diag);
	if (r < 0)
		return r;
	if (c->use_json)
		json_out_open(&c->json, '[');
	for (size_t i = 0; i < n; i++) {
		if (c->use_json)
			json_out_str(&c->json, texts[i]);
		else
			cmd_print(c, "%.*s\n", STR_ARG(texts[i]));
	}
	if (c->use_json)
		json_out_close(&c->json, ']');
	return 0;
}

int cmd_version(struct cmd *c)
{
	static const char *const ops[] = {
		[VERSION_MATCH] = "match", [VERSION_CMP] = "cmp", [VERSION_SORT] = "sort",
	};
	const struct version_scheme *s;
	enum version_op op = VERSION_MATCH;

	while (strcmp(ops[op], c->argv[0]) != 0)
		op++;
	s = find_scheme(c->argv[1], &c->diag);
	if (!s)
		return -ERR_USAGE;
	if (!arg_batch)
		return op == VERSION_SORT ? sort(c, s) : answer(c, s, op);
	if (c->argc > 2)
		return diag_fail(&c->diag, -ERR_USAGE, "--batch reads lines, it takes no arguments");
	if (c->use_json)
		return diag_fail(&c->diag, -ERR_USAGE, "--batch answers in lines, not in JSON");
	return version_batch(s, op, parse_flags(op), stdin, stdout, &c->diag);
}
