// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/install/origins.h"

#include "base/map.h"
#include "engine/fetch/url.h"
#include "engine/registry/registry.h"
#include "prim/err.h"

#include <errno.h>

static const char *registry_of(const struct credentials *c, const struct lock_package *p)
{
	const struct ecosystem *e = ecosystem_find(p->ecosystem);

	return credentials_registry(c, p->ecosystem, p->name, e ? e->default_registry : "");
}

static bool is_tarball_of(const struct manifest *m, const struct lock_package *p)
{
	for (size_t i = 0; i < m->ndependencies; i++)
		if (m->dependencies[i].url.n && str_eq(m->dependencies[i].url, p->source) &&
				str_eq(m->dependencies[i].name, p->name))
			return true;
	return false;
}

/* "host" means the scheme's own port. */
static bool is_allowed(const struct manifest *m, const struct url *u)
{
	uint16_t standard = u->https ? 443 : 80;

	for (size_t i = 0; i < m->nallow_hosts; i++) {
		_cleanup_buf_ struct buf text = BUF_INIT;
		struct url host;

		if (buf_addf(&text, "%s://%.*s/", u->https ? "https" : "http",
				STR_ARG(m->allow_hosts[i])) == 0 &&
				url_parse(&host, buf_str(&text)) == 0 && url_same_host(&host, u) &&
				(host.has_port || u->port == standard))
			return true;
	}
	return false;
}

/* `*ret` is set for what comes from elsewhere too, where it is a URL at all. Without encryption a host
 * is what the network says it is: allowing one does not allow less than the registry's own scheme. */
static bool from_elsewhere(const struct manifest *m, const struct credentials *c,
	const struct lock_package *p, struct url *ret)
{
	struct url registry;

	*ret = (struct url){ 0 };
	if (str_starts(p->source, STR("path:")))
		return false;
	if (url_parse(ret, p->source) < 0 || url_parse(&registry, str_from(registry_of(c, p))) < 0)
		return true;
	/* What such an archive calls itself is not looked at, so nothing else may pass for one. */
	if (lock_is_tarball(p))
		return !is_tarball_of(m, p);
	if (url_same_origin(ret, &registry))
		return false;
	return !(ret->https || !registry.https) || !is_allowed(m, ret);
}

bool origins_expected(const struct manifest *m, const struct credentials *c,
	const struct lock_package *p)
{
	struct url u;

	return !from_elsewhere(m, c, p, &u);
}

int origins_check(const struct lockfile *l, const struct manifest *m, const struct credentials *c,
	struct diag *d)
{
	for (size_t i = 0; i < l->npackages; i++) {
		const struct lock_package *p = l->packages[i];
		_cleanup_buf_ struct buf shown = BUF_INIT;
		struct url u;

		if (!from_elsewhere(m, c, p, &u))
			continue;
		(void)url_redact(p->source, &shown);
		diag_fail(d, -ERR_LOCKFILE, "%.*s would come from %s, which is not its registry (%s)",
			STR_ARG(p->id), buf_text(&shown), registry_of(c, p));
		diag_where(d, LOCKFILE_NAME ":%u:%u", p->place.line, p->place.column);
		return diag_hint(d, "where that is meant, put its host into [install] allow-hosts in "
			MANIFEST_NAME "; else 'cratons update' resolves anew from the registry");
	}
	return 0;
}

static int tell(const struct lock_package *p, const struct url *u, const struct credentials *c,
	void (*warn)(void *data, const char *text), void *data)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	bool odd_port = u->port != (u->https ? 443 : 80);
	int r = buf_addf(&text, "%.*s comes from %.*s, as its registry (%s) says: installing from "
		LOCKFILE_NAME " alone will need [install] allow-hosts = [\"%.*s", STR_ARG(p->id),
		STR_ARG(u->host), registry_of(c, p), STR_ARG(u->host));

	if (r == 0 && odd_port)
		r = buf_addf(&text, ":%u", u->port);
	if (r == 0)
		r = buf_adds(&text, "\"]");
	if (r == 0)
		warn(data, buf_text(&text));
	return r;
}

int origins_tell(const struct lockfile *l, const struct manifest *m, const struct credentials *c,
	void (*warn)(void *data, const char *text), void *data)
{
	_cleanup_map_ struct map told = MAP_INIT;

	for (size_t i = 0; warn && i < l->npackages; i++) {
		const struct lock_package *p = l->packages[i];
		struct map_entry *e;
		struct url u;
		int r;

		if (!from_elsewhere(m, c, p, &u) || u.host.n == 0)
			continue;
		e = map_entry(&told, u.host);
		if (!e)
			return -ENOMEM;
		r = e->value ? 0 : tell(p, &u, c, warn, data);
		if (r < 0)
			return r;
		e->value = (void *)p;
	}
	return 0;
}
