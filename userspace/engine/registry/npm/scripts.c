// SPDX-License-Identifier: GPL-2.0-or-later
/* Lifecycle scripts: https://docs.npmjs.com/cli/using-npm/scripts#npm-install. */
#include "engine/registry/npm/layout.h"
#include "engine/registry/npm/package.h"

#include "base/json.h"
#include "prim/err.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#define PACKAGE_JSON_MAX ((size_t)16 << 20)

static int add_step(struct arena *a, struct build_plan *plan, const char *name, struct str command)
{
	struct build_step *step = &plan->steps[plan->n++];

	step->name = arena_str(a, str_from(name));
	step->command = arena_str(a, command);
	return step->name.p && step->command.p ? 0 : -ENOMEM;
}

/* A package with a binding.gyp and neither an install nor a preinstall script is built by node-gyp. */
static int add_steps(struct cas *c, const struct lock_package *p, struct json scripts,
	struct arena *a, struct build_plan *plan, struct diag *d)
{
	static const char *const names[] = { "preinstall", "install", "postinstall" };
	const struct tree *tree;
	uint32_t at;
	bool gyp;
	int r = cas_tree(c, &p->tree, &tree, d);

	if (r < 0)
		return r;
	gyp = tree_lookup(tree, STR("binding.gyp"), &at) == 0 &&
	      json_kind(json_get(scripts, "install")) != JSON_STRING &&
	      json_kind(json_get(scripts, "preinstall")) != JSON_STRING;
	for (size_t i = 0; i < ARRAY_SIZE(names) && r == 0; i++) {
		struct str command = json_str(json_get(scripts, names[i]));

		if (!command.p && gyp && i == 1)
			command = STR("node-gyp rebuild");
		if (command.p && command.n)
			r = add_step(a, plan, names[i], command);
	}
	return r;
}

/* The first of these that the host has. */
static const char *first_there(const char *const *paths, const char *below)
{
	char path[256];

	for (; *paths; paths++) {
		snprintf(path, sizeof(path), "%s%s", *paths, below);
		if (access(path, F_OK) == 0)
			return *paths;
	}
	return NULL;
}

/* node-gyp would download the headers, which a container without a network cannot: it is told where
 * they are. And it is itself a part of npm, which keeps it out of PATH. */
static void add_gyp(const char *node, struct arena *a, struct build_plan *plan)
{
	static const char *const prefixes[] = { "/usr", "/usr/local", NULL };
	static const char *const gyps[] = { "/usr/lib/node_modules/npm/bin/node-gyp-bin",
		"/usr/local/lib/node_modules/npm/bin/node-gyp-bin",
		"/usr/share/nodejs/npm/bin/node-gyp-bin", NULL };
	const char *gyp = first_there(gyps, "");

	if (!node)
		node = first_there(prefixes, "/include/node/node.h");
	if (node)
		plan->env[plan->nenv++] = arena_fmt(a, "npm_config_nodedir=%s", node);
	if (gyp)
		plan->path_tail = arena_str(a, str_from(gyp));
}

static int add_env(const struct lock_package *p, const char *node, struct arena *a,
	struct build_plan *plan)
{
	plan->env = arena_newn(a, struct str, 6);
	if (!plan->env)
		return -ENOMEM;
	plan->env[plan->nenv++] = arena_fmt(a, "npm_package_name=%.*s", STR_ARG(p->name));
	plan->env[plan->nenv++] = arena_fmt(a, "npm_package_version=%.*s", STR_ARG(p->version));
	plan->env[plan->nenv++] = arena_fmt(a, "npm_config_user_agent=cratons/" CRATONS_VERSION);
	plan->env[plan->nenv++] = arena_fmt(a, "INIT_CWD=/build");
	add_gyp(node, a, plan);
	for (size_t i = 0; i < plan->nenv; i++)
		if (!plan->env[i].p)
			return -ENOMEM;
	return 0;
}

int npm_build_plan(struct cas *c, const struct lock_package *p, const char *node, struct arena *a,
	struct build_plan *ret, struct diag *d)
{
	_cleanup_(json_free_p) struct json_doc *doc = NULL;
	_cleanup_buf_ struct buf text = BUF_INIT;
	struct build_plan plan = { .steps = arena_newn(a, struct build_step, 3) };
	int r = plan.steps ? cas_slurp_path(c, &p->tree, STR("package.json"), &text,
		PACKAGE_JSON_MAX, d) : -ENOMEM;

	if (r == 0)
		r = json_parse(&doc, buf_str(&text), "package.json", d);
	if (r == 0)
		r = add_steps(c, p, json_get(json_root(doc), "scripts"), a, &plan, d);
	if (r == 0)
		r = add_env(p, node, a, &plan);
	if (r < 0)
		return diag_context(d, "%.*s", STR_ARG(p->id)), r;
	plan.path = npm_home_of(a, p);
	if (!plan.path.p)
		return -ENOMEM;
	plan.bin_dir = str_slice(plan.path, 0, plan.path.n - p->name.n);
	*ret = plan;
	return 0;
}
