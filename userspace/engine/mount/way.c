// SPDX-License-Identifier: GPL-2.0-or-later
/* Which of the ways to a mount on the host there is, for `cratons doctor`. */
#include "mount-priv.h"

#include "base/fd.h"
#include "base/mountd.h"
#include "prim/err.h"

#include <errno.h>
#include <linux/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* The first call of a mount, which needs all that the others do and leaves nothing behind. */
static bool may_mount(void)
{
	_cleanup_fd_ int context = (int)syscall(SYS_fsopen, "fuse", FSOPEN_CLOEXEC);

	return context >= 0;
}

static bool is_setuid_root(struct str dir, const char *program)
{
	char path[4096];
	struct stat st;
	int n = snprintf(path, sizeof(path), "%.*s/%s", STR_ARG(dir), program);

	return n > 0 && (size_t)n < sizeof(path) && stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
		(st.st_mode & S_ISUID) && st.st_uid == 0 && access(path, X_OK) == 0;
}

static bool has_fusermount(void)
{
	struct str path = str_from(getenv("PATH"));

	while (path.p)
		if (is_setuid_root(str_cut(&path, ':'), "fusermount3"))
			return true;
	return false;
}

int mount_host_way(const char **ret, struct diag *d)
{
	int r;

	if (may_mount()) {
		*ret = "as root";
		return 0;
	}
	r = mountd_ask(MOUNTD_HELLO, -1, d);
	if (r == 0)
		*ret = "through cratons-mountd";
	else if (r != -ENXIO)
		return diag_hint(d, "systemctl status cratons-mountd.socket cratons-mountd.service");
	else if (has_fusermount())
		*ret = "through the host's fusermount3";
	else {
		diag_fail(d, -ERR_MOUNT, "'cratons mount' is for root alone");
		return diag_hint(d, "as root: systemctl enable --now cratons-mountd.socket");
	}
	return 0;
}
