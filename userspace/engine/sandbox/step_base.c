// SPDX-License-Identifier: GPL-2.0-or-later
/* The base of every root: the host's programs, places to write, then what the caller binds. */
#include "engine/sandbox/sandbox-priv.h"

#include "prim/err.h"

#include <errno.h>
#include <linux/limits.h>
#include <sys/stat.h>

/* Links to /usr where /usr is merged, directories of their own where it is not. */
static const char *const usr_parts[] = { "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32" };

static int add_programs(struct plan *p, const char *path)
{
	return plan_bind(p, (struct sandbox_bind){ p->s->root.layer == SANDBOX_LAYER_NONE ?
		SANDBOX_BIND_RO : SANDBOX_BIND_OVERLAY, path, path });
}

static int add_usr_part(struct plan *p, const char *path)
{
	char target[PATH_MAX];
	struct stat st;
	ssize_t n;

	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISLNK(st.st_mode))
		return add_programs(p, path);
	n = readlink(path, target, sizeof(target));
	if (n < 0 || (size_t)n == sizeof(target))
		return n < 0 ? -errno : -ENAMETOOLONG;
	return plan_bind(p, (struct sandbox_bind){ SANDBOX_BIND_SYMLINK,
		arena_str(&p->arena, str_of(target, (size_t)n)).p, path });
}

static int add_scratch(struct plan *p, const char *target, mode_t mode)
{
	return plan_bind(p,
		(struct sandbox_bind){ SANDBOX_BIND_SCRATCH, NULL, target, .mode = mode });
}

static int add_places(struct plan *p)
{
	int r = add_scratch(p, "/dev/shm", 01777);

	if (p->s->root.bare)
		return r;
	if (r == 0)
		r = add_scratch(p, "/tmp", 01777);
	if (r == 0 && p->s->root.kind != SANDBOX_ROOT_HOST)
		r = add_scratch(p, "/var/tmp", 01777);
	else if (r == 0)
		r = plan_bind(p, (struct sandbox_bind){ SANDBOX_BIND_SYMLINK, "../tmp", "/var/tmp" });
	if (r == 0 && p->s->home)
		r = add_scratch(p, p->s->home, 0700);
	return r;
}

static int add_host(struct plan *p)
{
	int r = add_programs(p, "/usr");

	for (size_t i = 0; i < ARRAY_SIZE(usr_parts) && r == 0; i++)
		r = add_usr_part(p, usr_parts[i]);
	return r;
}

int base_prepare(struct plan *p, struct diag *d)
{
	bool foreign = p->s->root.kind != SANDBOX_ROOT_HOST;
	int r = !foreign && p->s->host_usr ? add_host(p) : 0;

	if (r == 0 && (foreign || p->s->host_usr))
		r = etc_prepare(p, d);
	if (r == 0)
		r = add_places(p);
	for (size_t i = 0; i < p->s->nbinds && r == 0; i++)
		r = plan_bind(p, p->s->binds[i]);
	if (r == 0)
		r = secrets_bind(p);
	return r < 0 ? diag_errno(d, r, "cannot lay out the container's files") : 0;
}
