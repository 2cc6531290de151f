// SPDX-License-Identifier: GPL-2.0-or-later
#include "view.h"

#include "options.h"
#include "prim/err.h"

#include <errno.h>

static int load(struct cmd *c, struct view *v)
{
	int fd = cmd_project(c);
	int r = fd < 0 ? fd : manifest_load(&v->manifest, fd, &c->diag);

	if (r < 0)
		return r;
	r = lockfile_load(&v->lockfile, fd, &c->diag);
	if (r == -ENOENT) {
		diag_fail(&c->diag, -ERR_LOCKFILE, "there is no %s yet", LOCKFILE_NAME);
		return diag_hint(&c->diag, "cratons install makes it");
	}
	return r;
}

int view_load(struct cmd *c, struct view *v)
{
	struct digest now;
	int r;

	*v = (struct view){ .host = platform_host() };
	r = load(c, v);
	if (r < 0) {
		view_done(v);
		return r;
	}
	now = manifest_graph_digest(v->manifest);
	if (!digest_eq(&now, &v->lockfile->manifest))
		cmd_warn(c, "%s is older than %s; cratons install brings it up to date",
			LOCKFILE_NAME, MANIFEST_NAME);
	return 0;
}

void view_done(struct view *v)
{
	manifest_free(v->manifest);
	lockfile_free(v->lockfile);
	v->manifest = NULL;
	v->lockfile = NULL;
}

const char *view_kind(enum dependency_kind kind)
{
	switch (kind) {
	case DEPENDENCY_DEV:
		return "dev";
	case DEPENDENCY_OPTIONAL:
		return "optional";
	case DEPENDENCY_PEER:
	case DEPENDENCY_PEER_OPTIONAL:
		return "peer";
	case DEPENDENCY_TOOL:
		return "tool";
	default:
		return "";
	}
}

bool view_hidden(const struct view *v, const struct lock_root_edge *edge)
{
	return edge->kind == DEPENDENCY_TOOL &&
	       !lock_platform_allows(&edge->package->platform, &v->host);
}

static bool matches(struct str name, struct str pattern)
{
	size_t n = 0, p = 0, star = SIZE_MAX, from = 0;

	while (n < name.n) {
		if (p < pattern.n && pattern.p[p] == '*') {
			star = p++;
			from = n;
		} else if (p < pattern.n && pattern.p[p] == name.p[n]) {
			n++;
			p++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			n = ++from;
		} else {
			return false;
		}
	}
	while (p < pattern.n && pattern.p[p] == '*')
		p++;
	return p == pattern.n;
}

bool view_matches(struct str name, char *const *patterns, int n)
{
	for (int i = 0; i < n; i++)
		if (matches(name, str_from(patterns[i])))
			return true;
	return n == 0;
}

int view_unknown(struct cmd *c, const struct view *v, const char *name)
{
	struct suggestion s = suggestion_start(name);

	for (size_t i = 0; i < v->lockfile->npackages; i++)
		suggestion_offer(&s, v->lockfile->packages[i]->name);
	diag_fail(&c->diag, -ERR_NO_PACKAGE, "'%s' is not in %s", name, LOCKFILE_NAME);
	if (s.best.p)
		return diag_hint(&c->diag, "did you mean '%.*s'?", STR_ARG(s.best));
	return diag_hint(&c->diag, "cratons list --all names what is");
}
