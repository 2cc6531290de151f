// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands.h"
#include "engine/fetch/credentials.h"
#include "engine/registry/registry.h"
#include "prim/err.h"
#include "prim/vec.h"

#include <errno.h>
#include <inttypes.h>

const struct opt config_options[] = {
	OPT_ACTION("get|list"),
	OPT_ARGS("KEY", 0, 1),
	OPT_END,
};

struct setting {
	const char *key;
	struct str value;
	const char *origin;
};

struct settings {
	struct cmd *cmd;
	struct arena arena;
	struct manifest *manifest;	/* NULL outside a project */
	struct credentials *credentials;
	VEC(struct setting) all;
	int error;
};

static void add(struct settings *s, const char *key, struct str value, const char *origin)
{
	if (!key || !value.p || !origin || vec_push(&s->all, (struct setting){ key, value, origin }) < 0)
		s->error = -ENOMEM;
}

/* "cratons.toml:12", or "default" where the manifest does not say. */
static const char *origin(struct settings *s, const char *table, const char *key)
{
	const struct toml_node *root = s->manifest ? toml_root(s->manifest->doc) : NULL;
	struct toml_place place = toml_place(toml_get(toml_get(root, table), key));

	if (place.line == 0)
		return "default";
	return arena_fmt(&s->arena, "%s:%u", MANIFEST_NAME, place.line).p;
}

static void add_flag(struct settings *s, const char *key, const char *name, bool value)
{
	add(s, key, value ? STR("true") : STR("false"), origin(s, "install", name));
}

/* As it may be written in the manifest: the largest unit that fits. */
static struct str age_text(struct arena *a, int64_t seconds)
{
	static const struct {
		int64_t seconds;
		char letter;
	} units[] = { { 86400, 'd' }, { 3600, 'h' }, { 60, 'm' } };

	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (seconds && seconds % units[i].seconds == 0)
			return arena_fmt(a, "%" PRId64 "%c", seconds / units[i].seconds,
				units[i].letter);
	return arena_fmt(a, "%" PRId64, seconds);
}

static struct str joined(struct arena *a, const struct str *v, size_t n)
{
	struct str all = STR("");

	for (size_t i = 0; i < n; i++)
		all = arena_fmt(a, "%.*s%s%.*s", STR_ARG(all), i ? " " : "", STR_ARG(v[i]));
	return all;
}

static void add_install(struct settings *s)
{
	static const struct manifest none;
	const struct manifest *m = s->manifest ? s->manifest : &none;

	add(s, "environment.node", m->node.n ? m->node : STR("host"),
		origin(s, "environment", "node"));
	add(s, "install.layout", m->layout == LAYOUT_HOISTED ? STR("hoisted") : STR("isolated"),
		origin(s, "install", "layout"));
	add(s, "install.minimum-age", age_text(&s->arena, m->minimum_age),
		origin(s, "install", "minimum-age"));
	add_flag(s, "install.allow-missing-time", "allow-missing-time", m->allow_missing_time);
	add_flag(s, "install.allow-missing-integrity", "allow-missing-integrity",
		m->allow_missing_integrity);
	add(s, "install.allow-scripts", joined(&s->arena, m->allow_scripts, m->nallow_scripts),
		origin(s, "install", "allow-scripts"));
	add(s, "install.allow-hosts", joined(&s->arena, m->allow_hosts, m->nallow_hosts),
		origin(s, "install", "allow-hosts"));
}

static const char *registry_origin(struct settings *s, const struct ecosystem *e, struct str scope)
{
	const struct toml_node *root = s->manifest ? toml_root(s->manifest->doc) : NULL;
	const struct toml_node *table = toml_get(toml_get(root, "registries"), e->name);
	struct str key = scope.n ? scope : STR("default");

	for (size_t i = 0; i < toml_count(table); i++)
		if (str_eq(toml_key_at(table, i), key))
			return arena_fmt(&s->arena, "%s:%u", MANIFEST_NAME,
				toml_place(toml_at(table, i)).line).p;
	return ".npmrc";
}

/* The ecosystem's default registry, whoever set it, then those of scopes. */
static void add_registries(struct settings *s, const struct ecosystem *e)
{
	struct str ecosystem = str_from(e->name), of, scope;
	const char *url = NULL, *from = "default";

	for (size_t i = 0; credentials_registry_at(s->credentials, i, &of, &scope, &url); i++)
		if (scope.n == 0 && str_eq(of, ecosystem))
			from = registry_origin(s, e, scope);
	url = credentials_registry(s->credentials, ecosystem, STR("name"), e->default_registry);
	add(s, arena_fmt(&s->arena, "registries.%s.default", e->name).p, str_from(url), from);
	for (size_t i = 0; credentials_registry_at(s->credentials, i, &of, &scope, &url); i++)
		if (scope.n && str_eq(of, ecosystem))
			add(s, arena_fmt(&s->arena, "registries.%s.%.*s", e->name, STR_ARG(scope)).p,
				str_from(url), registry_origin(s, e, scope));
}

/* A proxy's URL may hold a password. */
static struct str without_user(struct arena *a, const char *url)
{
	const char *host = strstr(url, "://"), *at = strrchr(url, '@');

	if (!host || !at || at < host)
		return str_from(url);
	return arena_fmt(a, "%.*s***%s", (int)(host + 3 - url), url, at);
}

static void add_network(struct settings *s)
{
	const struct credentials *c = s->credentials;
	const struct {
		const char *key, *value;
	} texts[] = {
		{ "cafile", credentials_cafile(c) },
		{ "proxy", credentials_proxy(c, false) },
		{ "https-proxy", credentials_proxy(c, true) },
		{ "noproxy", credentials_noproxy(c) },
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (texts[i].value)
			add(s, texts[i].key, without_user(&s->arena, texts[i].value),
				".npmrc or environment");
	add(s, "strict-ssl", credentials_verify_tls(c) ? STR("true") : STR("false"),
		credentials_verify_tls(c) ? "default" : ".npmrc");
}

static int load(struct settings *s)
{
	struct cmd *c = s->cmd;
	const char *home = cmd_home_path(c), *given = getenv("CRATONS_HOME");
	int fd = cmd_project(c), r;

	if (!home)
		return -ERR_CONFIG;
	if (fd < 0 && c->diag.code != -ERR_NO_MANIFEST)
		return fd;
	if (fd >= 0) {
		r = manifest_load(&s->manifest, fd, &c->diag);
		if (r < 0)
			return r;
		add(s, "project", str_from(cmd_project_path(c)), "working directory");
	}
	diag_reset(&c->diag);
	r = credentials_load(&s->credentials, fd, s->manifest, &c->diag);
	if (r < 0)
		return r;
	add(s, "home", str_from(home), given && *given ? "CRATONS_HOME" : "default");
	add_install(s);
	for (const struct ecosystem *const *e = ecosystems(); *e; e++)
		add_registries(s, *e);
	add_network(s);
	return s->error;
}

static int get(struct cmd *c, const struct settings *s, const char *key)
{
	struct suggestion near = suggestion_start(key);

	vec_foreach(one, &s->all) {
		if (strcmp(one->key, key) == 0) {
			if (c->use_json)
				json_out_str(&c->json, one->value);
			else
				cmd_print(c, "%.*s\n", STR_ARG(one->value));
			return 0;
		}
		suggestion_offer(&near, str_from(one->key));
	}
	diag_fail(&c->diag, -ERR_CONFIG, "there is no setting '%s' here", key);
	if (near.best.p)
		return diag_hint(&c->diag, "did you mean '%.*s'?", STR_ARG(near.best));
	return diag_hint(&c->diag, "cratons config list shows them");
}

static void list(struct cmd *c, const struct settings *s)
{
	if (c->use_json)
		json_out_open(&c->json, '{');
	vec_foreach(one, &s->all) {
		if (!c->use_json) {
			cmd_print(c, STYLE_BOLD "%s" STYLE_END " = %.*s" STYLE_DIM "  (%s)" STYLE_END "\n",
				one->key, STR_ARG(one->value), one->origin);
			continue;
		}
		json_out_key(&c->json, one->key);
		json_out_open(&c->json, '{');
		json_out_key(&c->json, "value");
		json_out_str(&c->json, one->value);
		json_out_key(&c->json, "origin");
		json_out_text(&c->json, one->origin);
		json_out_close(&c->json, '}');
	}
	if (c->use_json)
		json_out_close(&c->json, '}');
}

int cmd_config(struct cmd *c)
{
	struct settings s = { .cmd = c };
	bool getting = strcmp(c->argv[0], "get") == 0;
	int r = 0;

	if (getting != (c->argc == 2))
		return diag_fail(&c->diag, -ERR_USAGE, getting ? "KEY is missing" :
			"list takes no KEY");
	r = load(&s);
	if (r == 0 && getting)
		r = get(c, &s, c->argv[1]);
	else if (r == 0)
		list(c, &s);
	vec_done(&s.all);
	credentials_free(s.credentials);
	manifest_free(s.manifest);
	arena_done(&s.arena);
	return r;
}
