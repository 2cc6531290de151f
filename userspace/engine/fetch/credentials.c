// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/fetch/credentials-priv.h"

#include "base/fd.h"
#include "engine/fetch/npmrc.h"
#include "prim/err.h"

#include <errno.h>
#include <fcntl.h>

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
	vec_done(&c->known);
	vec_done(&c->secrets);
	arena_done(&c->arena);
	free(c);
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
	if (credentials_parse_proxy(c, copy, ret) == 0)
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
	return 0;
}

/* Before the project's file, so that its host counts as the user's, and after it, as it wins. */
static int environment_registry(struct credentials *c, struct diag *d)
{
	static const char *const names[] = { "npm_config_registry", "NPM_CONFIG_REGISTRY", NULL };
	const char *value = first_variable(names);
	int r;

	if (!value)
		return 0;
	r = credentials_set_registry(c, STR("npm"), STR(""), str_from(value), true);
	return r == -EINVAL ? diag_fail(d, -ERR_CONFIG, "npm_config_registry in the environment is "
		"not an http or https URL") : r;
}

static int read_manifest(struct credentials *c, const struct manifest *m, struct diag *d)
{
	for (size_t i = 0; m && i < m->nregistries; i++) {
		const struct manifest_registry *g = &m->registries[i];
		int r = credentials_set_registry(c, g->ecosystem, g->scope, g->url, false);

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
	if (r == 0)
		r = environment_registry(c, d);
	if (r == 0 && project_fd >= 0)
		r = read_file(c, project_fd, ".npmrc", false, d);
	if (r == 0)
		r = environment_registry(c, d);
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

static bool covers(const struct opener *o, const struct url *u)
{
	struct str path = o->at.path, have = u->path.n ? u->path : STR("/");
	uint16_t port = o->at.has_port ? o->at.port : u->https ? 443 : 80;

	if (port != u->port || o->at.host.n != u->host.n ||
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
		if (o->header && covers(o, &u) && (!best || o->at.path.n > best->at.path.n))
			best = o;
	return best ? best->header : NULL;
}

const char *credentials_unset(const struct credentials *c, const char *url)
{
	struct url u;

	if (url_parse(&u, str_from(url)) < 0)
		return NULL;
	vec_foreach(o, &c->openers)
		if (!o->header && o->unset.p && covers(o, &u))
			return o->unset.p;
	return NULL;
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

/* May have user information, no scheme and a path: [scheme://][user[:password]@]host[:port][/]. */
uint16_t credentials_proxy_port(const struct credentials *c, bool https)
{
	struct str s = str_from(credentials_proxy(c, https));
	bool tls = str_starts(s, STR("https://"));
	uint64_t port;
	size_t at;

	for (at = 0; at + 3 <= s.n; at++)
		if (memcmp(s.p + at, "://", 3) == 0) {
			s = str_slice(s, at + 3, s.n);
			break;
		}
	for (at = s.n; at > 0 && s.p[at - 1] != '@'; at--)
		;
	s = str_slice(s, at, s.n);
	s = str_slice(s, 0, str_find(s, '/', 0));
	for (at = s.n; at > 0 && s.p[at - 1] != ':' && s.p[at - 1] != ']'; at--)
		;
	if (at > 0 && s.p[at - 1] == ':' && str_u64(str_slice(s, at, s.n), &port) == 0 && port <= 65535)
		return (uint16_t)port;
	return tls ? 443 : 1080;
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
