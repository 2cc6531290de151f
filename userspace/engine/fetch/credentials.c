// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/fetch/credentials.h"

#include "base/fd.h"
#include "engine/fetch/npmrc.h"
#include "engine/fetch/url.h"
#include "prim/base64.h"
#include "prim/err.h"
#include "prim/vec.h"

#include <errno.h>
#include <fcntl.h>

#define ENTRIES_MAX 10000
#define SECRET_MAX 65536
#define NPM_REGISTRY "https://registry.npmjs.org/"

struct registry {
	struct str ecosystem, scope;	/* scope "@acme", or "" */
	const char *url;
	bool trusted;
};

/* What one "//host:port/path/" opens with. `path` may end with '/' or not: both spellings exist. */
struct opener {
	struct url at;
	struct str token, basic, user, password;
	const char *header;	/* NULL while incomplete */
	bool trusted;
};

struct credentials {
	struct arena arena;
	VEC(struct registry) registries;
	VEC(struct opener) openers;
	VEC(struct str) secrets;
	const char *cafile, *ca;
	const char *proxy, *https_proxy, *noproxy;
	bool insecure;
};

/* One file being read. */
struct reading {
	struct credentials *c;
	const char *name;
	bool trusted;
	struct buf ca;
	struct diag *d;
	unsigned line;
};

int credentials_new(struct credentials **ret)
{
	struct credentials *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->arena.max = 64 << 20;
	*ret = c;
	return 0;
}

void credentials_free(struct credentials *c)
{
	if (!c)
		return;
	vec_foreach(s, &c->secrets)
		explicit_bzero((char *)s->p, s->n);
	vec_done(&c->registries);
	vec_done(&c->openers);
	vec_done(&c->secrets);
	arena_done(&c->arena);
	free(c);
}

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

static int set_registry(struct credentials *c, struct str ecosystem, struct str scope, struct str url,
	bool trusted)
{
	struct registry r = { .trusted = trusted };
	bool slash = str_ends(url, STR("/"));
	struct url parsed;

	if (url_parse(&parsed, url) < 0)
		return -EINVAL;
	r.ecosystem = arena_str(&c->arena, ecosystem);
	r.scope = arena_str(&c->arena, scope);
	r.url = arena_fmt(&c->arena, "%.*s%s", STR_ARG(url), slash ? "" : "/").p;
	if (!r.ecosystem.p || !r.scope.p || !r.url)
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
	r = set_registry(f->c, STR("npm"), scope, value->text, f->trusted);
	return r == -EINVAL ? refuse(f, "the registry is not an http or https URL (credentials "
		"belong into //host/:_authToken)") : r;
}

/* Openers */

static bool same_opener(const struct url *a, const struct url *b)
{
	return url_same_host(a, b) && a->has_port == b->has_port && str_eq(a->path, b->path);
}

static struct opener *find_opener(struct credentials *c, const struct url *at, bool trusted)
{
	struct opener o = { .at = *at, .trusted = trusted };

	vec_foreach(old, &c->openers)
		if (same_opener(&old->at, at)) {
			old->trusted = old->trusted && trusted;
			return old;
		}
	if (c->openers.n >= ENTRIES_MAX || vec_push(&c->openers, o) < 0)
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
	vec_foreach(r, &c->registries)
		if (r->trusted && url_parse(&other, str_from(r->url)) == 0 &&
				url_same_host(at, &other))
			return true;
	vec_foreach(o, &c->openers)
		if (o->trusted && url_same_host(at, &o->at))
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

	if (k == KEY_NONE || value->unset)
		return 0;
	text = arena_fmt(&f->c->arena, "https:%.*s", STR_ARG(key));
	if (!text.p)
		return -ENOMEM;
	if (url_parse(&at, text) < 0)
		return refuse(f, "what a credential is for must be written //host/ or //host/path/");
	if (value->name.p && !f->trusted && !host_is_known(f->c, &at))
		return refuse_untrusted(f, "a project's file may not send environment variables to "
			"a host that your own ~/.npmrc does not name");
	o = find_opener(f->c, &at, f->trusted);
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

static int parse_proxy(struct credentials *c, struct str value, const char **ret)
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
	int r = parse_proxy(f->c, value, ret);

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

/* Where settings come from */

static int read_file(struct credentials *c, int dirfd, const char *path, bool trusted, struct diag *d)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	int r = file_slurp(dirfd, path, &text, NPMRC_MAX);

	if (r == -ENOENT || r == -ENOTDIR)
		return 0;
	if (r < 0) {
		diag_errno(d, -ERR_CONFIG, "cannot be read (%s)", err_sentence(r));
		diag_where(d, "%s", path);
		return -ERR_CONFIG;
	}
	r = credentials_npmrc(c, buf_str(&text), path, trusted, d);
	if (text.data)
		explicit_bzero(text.data, text.len);
	return r;
}

static const char *first_variable(const char *const *names)
{
	for (; *names; names++) {
		const char *value = secure_getenv(*names);

		if (value && *value)
			return value;
	}
	return NULL;
}

static int read_users(struct credentials *c, struct diag *d)
{
	static const char *const names[] = { "npm_config_userconfig", "NPM_CONFIG_USERCONFIG", NULL };
	const char *path = first_variable(names), *home = secure_getenv("HOME");

	if (!path && home && *home)
		path = arena_fmt(&c->arena, "%s/.npmrc", home).p;
	return path ? read_file(c, AT_FDCWD, path, true, d) : 0;
}

static int environment_proxy(struct credentials *c, const char *const *names, const char **ret,
	struct diag *d)
{
	const char *value = first_variable(names);
	struct str copy;

	if (*ret || !value)
		return 0;
	copy = arena_str(&c->arena, str_from(value));
	if (!copy.p)
		return -ENOMEM;
	if (parse_proxy(c, copy, ret) == 0)
		return 0;
	return diag_fail(d, -ERR_CONFIG, "%s in the environment is not a URL", names[0]);
}

/* The names that npm and curl know, theirs in lower case first. */
static int read_environment(struct credentials *c, struct diag *d)
{
	static const char *const https[] = { "https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY",
		"all_proxy", "ALL_PROXY", NULL };
	static const char *const http[] = { "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY",
		NULL };
	static const char *const no[] = { "no_proxy", "NO_PROXY", NULL };
	static const char *const registry[] = { "npm_config_registry", "NPM_CONFIG_REGISTRY", NULL };
	static const char *const cafile[] = { "SSL_CERT_FILE", NULL };
	const char *value;
	int r;

	/* .npmrc's "proxy" is for https too where "https-proxy" is not set, as with npm. */
	if (!c->https_proxy)
		c->https_proxy = c->proxy;
	r = environment_proxy(c, https, &c->https_proxy, d);
	if (r == 0)
		r = environment_proxy(c, http, &c->proxy, d);
	if (r < 0)
		return r;
	value = first_variable(no);
	if (!c->noproxy && value)
		c->noproxy = arena_str(&c->arena, str_from(value)).p;
	value = first_variable(cafile);
	if (!c->cafile && !c->ca && value)
		c->cafile = arena_str(&c->arena, str_from(value)).p;
	value = first_variable(registry);
	if (!value)
		return 0;
	r = set_registry(c, STR("npm"), STR(""), str_from(value), true);
	return r == -EINVAL ? diag_fail(d, -ERR_CONFIG, "npm_config_registry in the environment is "
		"not an http or https URL") : r;
}

static int read_manifest(struct credentials *c, const struct manifest *m, struct diag *d)
{
	for (size_t i = 0; m && i < m->nregistries; i++) {
		const struct manifest_registry *g = &m->registries[i];
		int r = set_registry(c, g->ecosystem, g->scope, g->url, false);

		if (r == -EINVAL) {
			diag_fail(d, -ERR_MANIFEST, "the registry of %.*s%s%.*s is not an http or https "
				"URL without credentials", STR_ARG(g->ecosystem), g->scope.n ? " " : "",
				STR_ARG(g->scope));
			diag_where(d, "%s", MANIFEST_NAME);
			return -ERR_MANIFEST;
		}
		if (r < 0)
			return r;
	}
	return 0;
}

int credentials_load(struct credentials **ret, int project_fd, const struct manifest *m,
	struct diag *d)
{
	_cleanup_(credentials_free_p) struct credentials *c = NULL;
	int r = credentials_new(&c);

	if (r == 0)
		r = read_users(c, d);
	if (r == 0 && project_fd >= 0)
		r = read_file(c, project_fd, ".npmrc", false, d);
	if (r == 0)
		r = read_environment(c, d);
	if (r == 0)
		r = read_manifest(c, m, d);
	if (r == 0)
		*ret = TAKE_PTR(c);
	return r;
}

/* Answers */

const char *credentials_registry(const struct credentials *c, struct str ecosystem, struct str name,
	const char *otherwise)
{
	size_t slash = str_find(name, '/', 0);
	struct str scope = STR("");
	const char *found = otherwise;

	if (name.n && name.p[0] == '@' && slash < name.n)
		scope = str_slice(name, 0, slash);
	vec_foreach(r, &c->registries) {
		if (!str_eq(r->ecosystem, ecosystem))
			continue;
		if (scope.n && str_eq(r->scope, scope))
			return r->url;
		if (r->scope.n == 0)
			found = r->url;
	}
	return found;
}

/* "." and "..", also percent-encoded: the server may see another path than the one compared here. */
static bool has_dot_segments(struct str path)
{
	while (path.p) {
		struct str part = str_cut(&path, '/');
		size_t dots = 0;

		while (part.n) {
			size_t n = part.p[0] == '.' ? 1 :
				part.n >= 3 && strncasecmp(part.p, "%2e", 3) == 0 ? 3 : 0;

			if (n == 0)
				break;
			dots++;
			part = str_slice(part, n, part.n);
		}
		if (part.n == 0 && (dots == 1 || dots == 2))
			return true;
	}
	return false;
}

static bool opens(const struct opener *o, const struct url *u)
{
	struct str path = o->at.path, have = u->path.n ? u->path : STR("/");
	uint16_t port = o->at.has_port ? o->at.port : u->https ? 443 : 80;

	if (!o->header || port != u->port || o->at.host.n != u->host.n ||
			strncasecmp(o->at.host.p, u->host.p, u->host.n) != 0)
		return false;
	if (!str_starts(have, path))
		return false;
	return path.n == have.n || path.n == 0 || path.p[path.n - 1] == '/' || have.p[path.n] == '/';
}

bool credentials_registry_at(const struct credentials *c, size_t i, struct str *ecosystem,
	struct str *scope, const char **url)
{
	if (i >= c->registries.n)
		return false;
	*ecosystem = c->registries.v[i].ecosystem;
	*scope = c->registries.v[i].scope;
	*url = c->registries.v[i].url;
	return true;
}

const char *credentials_for(const struct credentials *c, const char *url)
{
	const struct opener *best = NULL;
	struct url u;

	if (url_parse(&u, str_from(url)) < 0 || has_dot_segments(u.path))
		return NULL;
	if (!u.https && !url_is_loopback(&u))
		return NULL;
	vec_foreach(o, &c->openers)
		if (opens(o, &u) && (!best || o->at.path.n > best->at.path.n))
			best = o;
	return best ? best->header : NULL;
}

const char *credentials_cafile(const struct credentials *c)
{
	return c->cafile;
}

const char *credentials_ca(const struct credentials *c)
{
	return c->ca;
}

bool credentials_verify_tls(const struct credentials *c)
{
	return !c->insecure;
}

const char *credentials_proxy(const struct credentials *c, bool https)
{
	const char *proxy = https ? c->https_proxy : c->proxy;

	return proxy && *proxy ? proxy : NULL;
}

const char *credentials_noproxy(const struct credentials *c)
{
	return c->noproxy;
}

/* The longest secret that the text has at this place; one can be part of another. */
static size_t secret_at(const struct credentials *c, struct str text)
{
	size_t n = 0;

	vec_foreach(s, &c->secrets)
		if (s->n > n && str_starts(text, *s))
			n = s->n;
	return n;
}

void credentials_redact(const struct credentials *c, struct buf *text)
{
	_cleanup_buf_ struct buf out = { .max = text->max };
	struct buf swap = *text;
	int r = 0;

	if (c->secrets.n == 0)
		return;
	for (size_t i = 0; r == 0 && i < text->len;) {
		size_t n = secret_at(c, str_of(text->data + i, text->len - i));

		r = n ? buf_adds(&out, "***") : buf_addc(&out, text->data[i]);
		i += MAX(n, (size_t)1);
	}
	/* Rather nothing than a secret. */
	if (r < 0)
		buf_reset(text);
	else
		*text = out, out = swap;
}
