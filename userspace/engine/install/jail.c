// SPDX-License-Identifier: GPL-2.0-or-later
/* What the process apart may still reach: the store, and the ports that the user's own files name. */
#include "engine/sandbox/jail.h"

#include "base/fd.h"
#include "engine/fetch/url.h"
#include "engine/install/install-priv.h"
#include "engine/registry/registry.h"
#include "prim/err.h"
#include "prim/vec.h"

#include <errno.h>
#include <fcntl.h>

#define PORTS_MAX 1000

struct ports {
	VEC(uint16_t) v;
};

static int add_port(struct ports *p, uint16_t port)
{
	vec_foreach(known, &p->v)
		if (*known == port)
			return 0;
	return p->v.n == PORTS_MAX ? -ERR_LIMIT : vec_push(&p->v, port);
}

static int add_url(struct ports *p, struct str text)
{
	struct url u;

	return url_parse(&u, text) < 0 ? 0 : add_port(p, u.port);
}

/* "host" or "host:port". */
static int add_host(struct ports *p, struct str host)
{
	_cleanup_buf_ struct buf url = BUF_INIT;
	int r = buf_addf(&url, "https://%.*s/", STR_ARG(host));

	return r < 0 ? r : add_url(p, buf_str(&url));
}

/* A registry's metadata may name archives on another server, and a server redirect to one: these are
 * expected where the web is, on 80 and 443, or on a port that something of the user's names. 53: name
 * servers whose answer is too long for UDP. */
static int collect(const struct installation *i, struct ports *p)
{
	const struct lockfile *l = i->lock ? i->lock : i->before;
	struct str ecosystem, scope;
	const char *url;
	int r = add_port(p, 443);

	if (r == 0)
		r = add_port(p, 80);
	if (r == 0)
		r = add_port(p, 53);
	for (size_t n = 0; r == 0 && credentials_registry_at(i->credentials, n, &ecosystem, &scope,
			&url); n++)
		r = add_url(p, str_from(url));
	for (int https = 0; r == 0 && https <= 1; https++)
		if (credentials_proxy(i->credentials, https))
			r = add_port(p, credentials_proxy_port(i->credentials, https));
	for (const struct ecosystem *const *e = ecosystems(); *e && r == 0; e++)
		if ((*e)->default_registry)
			r = add_url(p, str_from((*e)->default_registry));
	for (size_t n = 0; r == 0 && n < i->manifest->nallow_hosts; n++)
		r = add_host(p, i->manifest->allow_hosts[n]);
	for (size_t n = 0; r == 0 && n < i->manifest->ndependencies; n++)
		r = add_url(p, i->manifest->dependencies[n].url);
	for (size_t n = 0; r == 0 && l && n < l->npackages; n++)
		r = add_url(p, l->packages[n]->source);
	return r;
}

static void tell(const struct installation *i, const struct jail_report *report)
{
	_cleanup_buf_ struct buf text = BUF_INIT;

	if (i->options->detail && buf_adds(&text, "resolving and fetching in a process apart: ") == 0 &&
			jail_describe(report, &text) == 0)
		i->options->detail(i->options->data, buf_text(&text));
}

/* The same number for the same folder, but as a name only: through an open one, its mode could be changed,
 * and a lock that the caller has on it be given up. Landlock watches neither. */
static int only_name(int fd)
{
	_cleanup_fd_ int name = openat(fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);

	return name < 0 || dup3(name, fd, O_CLOEXEC) < 0 ? -errno : 0;
}

static int only_names(struct installation *i)
{
	const struct project *settings = i->options->settings ? i->options->settings : i->project;
	const int fds[] = { i->project->fd, i->project->home_fd, settings->fd };
	int r = 0;

	for (size_t n = 0; n < ARRAY_SIZE(fds) && r == 0; n++)
		r = fds[n] < 0 ? 0 : only_name(fds[n]);
	return r < 0 ? diag_errno(i->diag, r, "shutting the project's folder") : 0;
}

int installation_jail(struct installation *i)
{
	const char *cafile = credentials_cafile(i->credentials);
	_cleanup_fd_ int store = openat(i->project->home_fd, "store",
		O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct jail j = { .write = store, .read = &cafile, .nread = cafile != NULL };
	struct jail_report report;
	struct ports ports = { 0 };
	int r = 0;

	if (store < 0)
		return diag_errno(i->diag, -errno, "cannot open the store");
	if (i->options->network != INSTALL_OFFLINE)
		r = collect(i, &ports);
	j.ports = ports.v.v;
	j.nports = ports.v.n;
	if (r < 0)
		diag_errno(i->diag, r, "listing the registries' ports");
	else
		r = only_names(i);
	if (r == 0)
		r = jail_enter(&j, &report, i->diag);
	vec_done(&ports.v);
	if (r == 0)
		tell(i, &report);
	return r;
}
