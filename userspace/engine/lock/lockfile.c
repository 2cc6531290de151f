// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/fd.h"
#include "engine/lock/lockfile-priv.h"
#include "prim/err.h"

#include <errno.h>

int lockfile_new(struct lockfile **ret)
{
	struct lockfile *l = calloc(1, sizeof(*l));

	if (!l)
		return -ENOMEM;
	*ret = l;
	return 0;
}

void lockfile_free(struct lockfile *l)
{
	if (!l)
		return;
	map_done(&l->by_id);
	toml_free(l->doc);
	arena_done(&l->arena);
	free(l);
}

int lockfile_load(struct lockfile **ret, int dirfd, struct diag *d)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	int e = file_slurp(dirfd, LOCKFILE_NAME, &text, LOCKFILE_SIZE_MAX);

	if (e == -ENOENT)
		return e;
	if (e < 0) {
		diag_errno(d, e, "the lockfile cannot be read");
		return diag_where(d, LOCKFILE_NAME), e;
	}
	return lockfile_parse(ret, buf_str(&text), LOCKFILE_NAME, d);
}

struct lock_package *lockfile_find(const struct lockfile *l, struct str id)
{
	return map_get(&l->by_id, id);
}

const char *lock_kind_name(enum dependency_kind kind)
{
	switch (kind) {
	case DEPENDENCY_NORMAL:
		return "normal";
	case DEPENDENCY_DEV:
		return "dev";
	case DEPENDENCY_OPTIONAL:
		return "optional";
	case DEPENDENCY_TOOL:
		return "tool";
	default:
		return NULL;
	}
}
