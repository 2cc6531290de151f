// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The user namespace: one id is mapped, the caller's own, which needs no helper (user_namespaces(7)).
 * All other ids of the host are nobody inside.
 */
#include "engine/sandbox/sandbox-priv.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>

/* Half of what the kernel gives a user: it counts them for each user namespace too. */
static void half_of(const char *path, char *ret, size_t size)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	uint64_t n;

	if (file_slurp(AT_FDCWD, path, &text, 64) == 0 && str_u64(str_trim(buf_str(&text)), &n) == 0)
		snprintf(ret, size, "%" PRIu64, n / 2);
}

int user_prepare(struct plan *p, struct diag *d)
{
	half_of("/proc/sys/fs/inotify/max_user_instances", p->watchers, sizeof(p->watchers));
	half_of("/proc/sys/fs/inotify/max_user_watches", p->watches, sizeof(p->watches));
	snprintf(p->uid_map, sizeof(p->uid_map), "%u %u 1\n", p->s->uid, geteuid());
	snprintf(p->gid_map, sizeof(p->gid_map), "%u %u 1\n", p->s->gid, getegid());
	return 0;
}

static int put(struct plan *p, const char *path, const char *text, bool optional)
{
	_cleanup_fd_ int fd = -1;

	p->at = path;
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return optional && errno == ENOENT ? 0 : -errno;
	return fd_write_all(fd, text, strlen(text));
}

/* A service that the kernel is told to spare (-1000) does not pass that on. */
int out_of_memory_score(struct plan *p)
{
	_cleanup_fd_ int fd = -1;
	char text[16] = "";

	p->at = "oom_score_adj";
	fd = open("/proc/self/oom_score_adj", O_RDWR | O_CLOEXEC);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
		return -errno;
	return text[0] == '-' && pwrite(fd, "0", 1, 0) < 0 ? -errno : 0;
}

/*
 * A user namespace holds limits for itself. It may have no children: a wall of its own, as the kernel refuses
 * nested ones even were seccomp passed by. Other kinds of namespaces take a capability, which nobody has
 * inside: zeroing their seven limits too would take 0.2 ms. With inotify's, a container cannot use up all
 * that its user has.
 */
static int own_limits(struct plan *p)
{
	int r = put(p, "/proc/sys/user/max_user_namespaces", "0", false);

	if (r == 0 && p->watchers[0])
		r = put(p, "/proc/sys/user/max_inotify_instances", p->watchers, true);
	if (r == 0 && p->watches[0])
		r = put(p, "/proc/sys/user/max_inotify_watches", p->watches, true);
	return r;
}

int user_enter(struct plan *p)
{
	int r = put(p, "/proc/self/setgroups", "deny", true);

	if (r == 0)
		r = put(p, "/proc/self/uid_map", p->uid_map, false);
	if (r == 0)
		r = put(p, "/proc/self/gid_map", p->gid_map, false);
	if (r == 0)
		r = own_limits(p);
	if (r == 0)
		r = out_of_memory_score(p);
	p->at = NULL;
	return r;
}
