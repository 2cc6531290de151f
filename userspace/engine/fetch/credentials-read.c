// SPDX-License-Identifier: GPL-2.0-or-later
/* From the lines of a .npmrc to settings, and what a file that is not the user's own may set. */
#include "engine/fetch/credentials-priv.h"

#include "engine/fetch/npmrc.h"
#include "prim/base64.h"
#include "prim/err.h"

#include <errno.h>

#define ENTRIES_MAX 10000
#define SECRET_MAX 65536
#define NPM_REGISTRY "https://registry.npmjs.org/"

/* One file being read. */
struct reading {
	struct credentials *c;
	const char *name;
	bool trusted;
	struct buf ca;
	struct diag *d;
	unsigned line;
};

static int refuse(struct reading *f, const char *what)
{
	diag_fail(f->d, -ERR_CONFIG, "%s", what);
	diag_where(f->d, "%s:%u", f->name, f->line);
	return -ERR_CONFIG;
}

static int refuse_untrusted(struct reading *f, const char *what)
{
	refuse(f, what);
	diag_hint(f->d, "a project's file is as trustworthy as its authors: if you want this, put "
		"the line into your own ~/.npmrc");
	return -ERR_CONFIG;
}

static int add_secret(struct credentials *c, struct str s)
{
	if (s.n == 0)
		return 0;
	return c->secrets.n < ENTRIES_MAX ? vec_push(&c->secrets, s) : -ERR_LIMIT;
}

/* Registries */

/* `url` is in the arena. */
static int note_host(struct credentials *c, const char *url)
{
	struct url u;
	int r = url_parse(&u, str_from(url));

	if (r < 0)
		return r;
	return c->known.n < ENTRIES_MAX ? vec_push(&c->known, u) : -ERR_LIMIT;
}

int credentials_set_registry(struct credentials *c, struct str ecosystem, struct str scope,
	struct str url, bool trusted)
{
	struct registry r = { .url = NULL };
	bool slash = str_ends(url, STR("/"));
	struct url parsed;

	if (url_parse(&parsed, url) < 0)
		return -EINVAL;
	r.ecosystem = arena_str(&c->arena, ecosystem);
	r.scope = arena_str(&c->arena, scope);
	r.url = arena_fmt(&c->arena, "%.*s%s", STR_ARG(url), slash ? "" : "/").p;
	if (!r.ecosystem.p || !r.scope.p || !r.url)
		return -ENOMEM;
	if (trusted && note_host(c, r.url) < 0)
		return -ENOMEM;
	vec_foreach(old, &c->registries)
		if (str_eq(old->ecosystem, ecosystem) && str_eq(old->scope, scope)) {
			*old = r;
			return 0;
		}
	return c->registries.n < ENTRIES_MAX ? vec_push(&c->registries, r) : -ERR_LIMIT;
}

static int registry_line(struct reading *f, struct str scope, const struct npmrc_expansion *value)
{
	int r;

	if (value->name.p && !f->trusted)
		return refuse_untrusted(f, "a project's file may not put environment variables into "
			"a registry's URL");
	r = credentials_set_registry(f->c, STR("npm"), scope, value->text, f->trusted);
	return r == -EINVAL ? refuse(f, "the registry is not an http or https URL (credentials "
		"belong into //host/:_authToken)") : r;
}

/* Openers */

static bool same_opener(const struct url *a, const struct url *b)
{
	return url_same_host(a, b) && a->has_port == b->has_port && str_eq(a->path, b->path);
}

static struct opener *find_opener(struct credentials *c, const struct url *at)
{
	vec_foreach(old, &c->openers)
		if (same_opener(&old->at, at))
			return old;
	if (c->openers.n >= ENTRIES_MAX || vec_push(&c->openers, (struct opener){ .at = *at }) < 0)
		return NULL;
	return &c->openers.v[c->openers.n - 1];
}

/* May a project's file send a variable's value there? To a host that the user's own files name, to
 * npm's registry, or to this machine: anything else could be a way to carry the environment off. */
static bool host_is_known(const struct credentials *c, const struct url *at)
{
	struct url other;

	if (url_is_loopback(at))
		return true;
	if (url_parse(&other, STR(NPM_REGISTRY)) == 0 && url_same_host(at, &other))
		return true;
	vec_foreach(u, &c->known)
		if (url_same_host(at, u))
			return true;
	return false;
}

static int basic_header(struct credentials *c, struct opener *o)
{
	struct str both = arena_fmt(&c->arena, "%.*s:%.*s", STR_ARG(o->user), STR_ARG(o->password));
	char *text = arena_alloc(&c->arena, BASE64_SIZE(both.n) + 1);
	int r;

	if (!both.p || !text)
		return -ENOMEM;
	base64_encode(both.p, both.n, text);
	o->header = arena_fmt(&c->arena, "Basic %s", text).p;
	r = add_secret(c, both);
	if (r == 0)
		r = add_secret(c, str_from(text));
	return o->header ? r : -ENOMEM;
}

/* npm's order: a token, then _auth, then a user with a password. */
static int make_header(struct credentials *c, struct opener *o)
{
	o->header = NULL;
	if (o->token.n)
		o->header = arena_fmt(&c->arena, "Bearer %.*s", STR_ARG(o->token)).p;
	else if (o->basic.n)
		o->header = arena_fmt(&c->arena, "Basic %.*s", STR_ARG(o->basic)).p;
	else if (o->user.n && o->password.n)
		return basic_header(c, o);
	else
		return 0;
	return o->header ? 0 : -ENOMEM;
}

static bool header_safe(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f)
			return false;
	return s.n <= SECRET_MAX;
}

static int set_password(struct reading *f, struct opener *o, struct str value)
{
	char *plain = arena_alloc(&f->c->arena, value.n + 1);
	size_t n;
	int r;

	if (!plain)
		return -ENOMEM;
	if (base64_decode(value, plain, &n) < 0)
		return refuse(f, "_password is not base64");
	o->password = str_of(plain, n);
	r = add_secret(f->c, value);
	return r < 0 ? r : add_secret(f->c, o->password);
}

enum opener_key { KEY_TOKEN, KEY_AUTH, KEY_USER, KEY_PASSWORD, KEY_NONE };
static const char *const opener_keys[] = { "_authToken", "_auth", "username", "_password" };

static int set_opener(struct reading *f, struct opener *o, enum opener_key key, struct str value)
{
	int r = 0;

	if (!header_safe(value))
		return refuse(f, "a credential holds control characters or is too long");
	switch (key) {
	case KEY_TOKEN:
		o->token = value;
		r = add_secret(f->c, value);
		break;
	case KEY_AUTH:
		o->basic = value;
		r = add_secret(f->c, value);
		break;
	case KEY_USER:
		o->user = value;
		break;
	case KEY_PASSWORD:
		r = set_password(f, o, value);
		break;
	case KEY_NONE:
		break;
	}
	return r < 0 ? r : make_header(f->c, o);
}

/* Cuts ":_authToken" and the like off "//host/path/:_authToken". */
static enum opener_key cut_opener_key(struct str *key)
{
	size_t at = key->n;

	while (at > 0 && key->p[at - 1] != ':')
		at--;
	for (size_t i = 0; at > 0 && i < ARRAY_SIZE(opener_keys); i++)
		if (str_is(str_slice(*key, at, key->n), opener_keys[i])) {
			key->n = at - 1;
			return (enum opener_key)i;
		}
	return KEY_NONE;
}

/* A variable that is not set leaves the credential unset: sending "${TOKEN}" helps nobody. */
static int opener_line(struct reading *f, struct str key, const struct npmrc_expansion *value)
{
	enum opener_key k = cut_opener_key(&key);
	struct opener *o;
	struct str text;
	struct url at;

	if (k == KEY_NONE)
		return 0;
	text = arena_fmt(&f->c->arena, "https:%.*s", STR_ARG(key));
	if (!text.p)
		return -ENOMEM;
	if (url_parse(&at, text) < 0)
		return refuse(f, "what a credential is for must be written //host/ or //host/path/");
	if (value->unset.p) {
		o = find_opener(f->c, &at);
		if (o)
			o->unset = value->unset;
		return o ? 0 : -ENOMEM;
	}
	if (value->name.p && !f->trusted && !host_is_known(f->c, &at))
		return refuse_untrusted(f, "a project's file may not send environment variables to "
			"a host that your own ~/.npmrc does not name");
	if (f->trusted && note_host(f->c, text.p) < 0)
		return -ENOMEM;
	o = find_opener(f->c, &at);
	return o ? set_opener(f, o, k, value->text) : -ENOMEM;
}

/* Settings */

static int set_cafile(struct reading *f, struct str value)
{
	const char *home = secure_getenv("HOME");

	if (home && str_starts(value, STR("~/")))
		f->c->cafile = arena_fmt(&f->c->arena, "%s%.*s", home, (int)value.n - 1,
			value.p + 1).p;
	else
		f->c->cafile = value.p;
	return f->c->cafile ? 0 : -ENOMEM;
}

/* "\n" as two characters is how a certificate is often written on one line. */
static int set_ca(struct reading *f, struct str value)
{
	int r = f->ca.len ? buf_addc(&f->ca, '\n') : 0;

	for (size_t i = 0; r == 0 && i < value.n; i++) {
		bool newline = str_starts(str_slice(value, i, value.n), STR("\\n"));

		r = buf_addc(&f->ca, newline ? '\n' : value.p[i]);
		i += newline;
	}
	return r;
}

static int set_strict(struct reading *f, struct str value)
{
	if (!str_is(value, "true") && !str_is(value, "false"))
		return refuse(f, "strict-ssl is true or false");
	f->c->insecure = str_is(value, "false");
	return 0;
}

/* The password of a proxy's URL is a secret like any other. */
static int add_proxy_secret(struct credentials *c, struct str proxy)
{
	size_t at = proxy.n, from = 0;

	while (at > 0 && proxy.p[at - 1] != '@')
		at--;
	if (at == 0)
		return 0;
	for (size_t i = 0; i + 2 < at; i++)
		if (memcmp(proxy.p + i, "://", 3) == 0)
			from = i + 3;
	proxy = str_slice(proxy, from, at - 1);
	from = str_find(proxy, ':', 0);
	return from < proxy.n ? add_secret(c, str_slice(proxy, from + 1, proxy.n)) : 0;
}

int credentials_parse_proxy(struct credentials *c, struct str value, const char **ret)
{
	if (str_is(value, "false") || value.n == 0) {
		*ret = "";
		return 0;
	}
	for (size_t i = 0; i < value.n; i++)
		if (value.p[i] <= ' ' || value.p[i] > '~')
			return -EINVAL;
	*ret = value.p;
	return add_proxy_secret(c, value);
}

static int proxy_line(struct reading *f, struct str value, const char **ret)
{
	int r = credentials_parse_proxy(f->c, value, ret);

	return r == -EINVAL ? refuse(f, "the proxy is not a URL") : r;
}

static int set_proxy(struct reading *f, struct str value)
{
	return proxy_line(f, value, &f->c->proxy);
}

static int set_https_proxy(struct reading *f, struct str value)
{
	return proxy_line(f, value, &f->c->https_proxy);
}

static int set_noproxy(struct reading *f, struct str value)
{
	const char *old = f->c->noproxy;

	f->c->noproxy = old ? arena_fmt(&f->c->arena, "%s,%.*s", old, STR_ARG(value)).p : value.p;
	return f->c->noproxy ? 0 : -ENOMEM;
}

static const struct {
	const char *key;
	int (*set)(struct reading *f, struct str value);
} settings[] = {
	{ "cafile", set_cafile },
	{ "ca", set_ca },
	{ "strict-ssl", set_strict },
	{ "proxy", set_proxy },
	{ "http-proxy", set_proxy },
	{ "https-proxy", set_https_proxy },
	{ "noproxy", set_noproxy },
};

/* "null" is npm's word for "as if the line were not there". */
static int setting_line(struct reading *f, struct str key, const struct npmrc_expansion *value)
{
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		if (!str_is(key, settings[i].key) || str_is(value->text, "null"))
			continue;
		if (!f->trusted)
			return refuse_untrusted(f, "a project's file may not choose proxies or "
				"certificate authorities");
		return settings[i].set(f, value->text);
	}
	return 0;
}

static int unscoped_line(struct reading *f)
{
	refuse(f, "a credential must say which registry it is for");
	diag_hint(f->d, "write it as //host/path/:_authToken=..., with your registry's host and path");
	return -ERR_CONFIG;
}

static bool is_unscoped(struct str key)
{
	return str_is(key, "_authToken") || str_is(key, "_auth") || str_is(key, "_password");
}

static int read_line(void *data, const struct npmrc_line *line)
{
	struct reading *f = data;
	struct npmrc_expansion key, value;
	int r = npmrc_expand(line->key, &f->c->arena, &key);

	f->line = line->number;
	if (r == 0)
		r = npmrc_expand(line->value, &f->c->arena, &value);
	if (r < 0)
		return r;
	if (key.name.p && !f->trusted)
		return refuse_untrusted(f, "a project's file may not put environment variables into "
			"the names of keys");
	if (str_starts(key.text, STR("//")))
		return opener_line(f, key.text, &value);
	if (str_is(key.text, "registry"))
		return registry_line(f, STR(""), &value);
	if (str_starts(key.text, STR("@")) && str_ends(key.text, STR(":registry")))
		return registry_line(f, str_slice(key.text, 0, key.text.n - strlen(":registry")),
			&value);
	if (is_unscoped(key.text))
		return unscoped_line(f);
	return setting_line(f, key.text, &value);
}

static int finish_ca(struct reading *f)
{
	if (f->ca.len == 0)
		return 0;
	f->c->ca = arena_str(&f->c->arena, buf_str(&f->ca)).p;
	return f->c->ca ? 0 : -ENOMEM;
}

int credentials_npmrc(struct credentials *c, struct str text, const char *name, bool trusted,
	struct diag *d)
{
	struct reading f = { .c = c, .name = name, .trusted = trusted, .d = d };
	int r;

	r = npmrc_parse(text, &c->arena, read_line, &f);
	if (r == 0)
		r = finish_ca(&f);
	buf_done(&f.ca);
	if (r == -ERR_SYNTAX)
		r = diag_fail(d, -ERR_CONFIG, "this is not a text file");
	else if (r < 0 && r != -ERR_CONFIG)
		diag_fail(d, r, "%s", err_sentence(r));
	if (r < 0)
		diag_where(d, "%s", name);
	return r;
}
