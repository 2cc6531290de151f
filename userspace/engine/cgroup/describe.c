// SPDX-License-Identifier: GPL-2.0-or-later
/* For doctor: nothing is changed, so what a place gives is what it would give. */
#include "engine/cgroup/cgroup-priv.h"

#include <errno.h>

static void list(struct buf *b, unsigned mask, const char *none)
{
	const char *between = "";

	for (size_t c = 0; c < CGROUP_CONTROLLERS; c++)
		if (mask & CGROUP_BIT(c)) {
			buf_addf(b, "%s%s", between, cgroup_controller_names[c]);
			between = ", ";
		}
	if (!mask)
		buf_adds(b, none);
}

/* What a scope of the user's systemd would have: what its manager was given. */
static bool from_systemd(const struct cgroup_view *w, struct cgroup_place *p)
{
	_cleanup_buf_ struct buf path = BUF_INIT, file = BUF_INIT;

	if (cgroup_scope_probe(&path, NULL) < 0)
		return false;
	for (const char *const *m = w->mounts; *m; m++) {
		buf_reset(&file);
		buf_addf(&file, "%s%s/cgroup.controllers", *m, buf_text(&path));
		if (access(buf_text(&file), F_OK) < 0)
			continue;
		buf_reset(&p->path);
		buf_addf(&p->path, "scopes of the user's systemd");
		p->has = p->gives = cgroup_read_mask(-1, file.data);
		return true;
	}
	return false;
}

int cgroup_describe(struct arena *a, const char **ret_text, const char **ret_fix)
{
	_cleanup_place_ struct cgroup_place p = CGROUP_PLACE_INIT, scope = CGROUP_PLACE_INIT;
	_cleanup_buf_ struct buf text = BUF_INIT, why = BUF_INIT, fix = BUF_INIT;
	const struct cgroup_view *w = &cgroup_host;
	int r = cgroup_place_find(w, CGROUP_ALL, &p);
	const struct cgroup_place *best = r < 0 ? NULL : &p;
	unsigned missing;
	struct str copy;

	if ((!best || p.gives != CGROUP_ALL) && geteuid() != 0 && cgroup_host_has(w) &&
		from_systemd(w, &scope) && (!best || scope.gives & ~p.gives))
		best = &scope;
	missing = CGROUP_ALL & ~(best ? best->gives : 0);
	if (best) {
		buf_addf(&text, "%s: ", buf_text(&best->path));
		list(&text, best->gives, "no limits");
	}
	for (enum cgroup_controller c = 0; c < CGROUP_CONTROLLERS && !why.len; c++)
		if (missing & CGROUP_BIT(c))
			cgroup_lacks(w, best, c, &why, &fix);
	if (why.len)
		buf_addf(&text, "%s%s", best ? "; " : "", buf_text(&why));
	copy = arena_str(a, buf_str(&text));
	*ret_text = copy.p;
	*ret_fix = fix.len ? arena_str(a, buf_str(&fix)).p : NULL;
	return copy.p ? 0 : -ENOMEM;
}
