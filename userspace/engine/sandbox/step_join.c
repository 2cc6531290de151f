// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A further command in a container that runs. The process between joins the namespaces and the builder
 * is born in them; then it goes through the same walls as the container's first did, but for those that
 * stand already. Nobody inside can trace it while it still has what they have not: it is not dumpable,
 * and its memory belongs to the host's user namespace.
 */
#include "engine/sandbox/sandbox-priv.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/pidfd.h>
#include <sys/stat.h>

static const struct {
	const char *name;
	int flag;
} kinds[] = {
	{ "user", CLONE_NEWUSER }, { "mnt", CLONE_NEWNS }, { "pid", CLONE_NEWPID }, { "net", CLONE_NEWNET },
	{ "ipc", CLONE_NEWIPC }, { "uts", CLONE_NEWUTS }, { "time", CLONE_NEWTIME },
	{ "cgroup", CLONE_NEWCGROUP },
};

static bool same_namespace(pid_t pid, const char *name)
{
	char path[64];
	struct stat ours, theirs;

	snprintf(path, sizeof(path), "/proc/self/ns/%s", name);
	if (stat(path, &ours) < 0)
		return true;	/* this kernel has none of that kind */
	snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)pid, name);
	return stat(path, &theirs) == 0 && ours.st_ino == theirs.st_ino && ours.st_dev == theirs.st_dev;
}

/* Only those that differ: one that is the host's cannot be joined without power over the host, and need
 * not be. What cannot be seen is to be joined, which then fails if it cannot. */
uint64_t join_namespaces(pid_t pid)
{
	uint64_t set = 0;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!same_namespace(pid, kinds[i].name))
			set |= (uint64_t)kinds[i].flag;
	return set;
}

/*
 * The cgroup namespace is entered last: from within it a process may not be put into the cgroup any
 * more, as it cannot see the one where it comes from (cgroup_namespaces(7)).
 */
int join_enter(struct plan *p)
{
	_cleanup_fd_ int root = -1;
	int r;

	if (p->joined & CLONE_NEWCGROUP && setns(p->s->join, CLONE_NEWCGROUP) < 0)
		return -errno;
	root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return -errno;
	p->dev = open_inside(root, "/dev", O_PATH | O_DIRECTORY);
	if (p->dev < 0)
		return p->dev;
	p->at = p->s->cwd;
	r = enter_directory(root, p->s->cwd ? p->s->cwd : "/");
	if (r == 0)
		p->at = NULL;
	return r;
}
