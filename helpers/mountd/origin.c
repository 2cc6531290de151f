// SPDX-License-Identifier: GPL-2.0-or-later
#include "mountd.h"

#include "base/fd.h"

#include <fcntl.h>

/* Beyond both: the line of status that matters, and any map that a service is run with. */
#define TEXT_MAX 4096

/* A file of procfs, in one read. Empty when it cannot be had or is longer. */
static struct str text_of(int dir, const char *name, char text[TEXT_MAX])
{
	_cleanup_fd_ int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, TEXT_MAX);

	return str_of(text, n > 0 && n < TEXT_MAX ? (size_t)n : 0);
}

/* The real one of "Uid:\t1000\t1000\t1000\t1000". */
static bool has_uid(struct str status, uid_t uid)
{
	uint64_t n;

	while (status.p) {
		struct str line = str_cut(&status, '\n');

		if (!str_starts(line, STR("Uid:\t")))
			continue;
		line = str_slice(line, 5, line.n);
		return str_u64(str_cut(&line, '\t'), &n) == 0 && n == uid;
	}
	return false;
}

/*
 * The maps of one namespace read the same, and none below has that of the first, which maps all ids; the
 * maps of others are said in terms of ours. The number may be another process's by now, but only one with
 * the peer's own uid counts, and the descriptor of its directory holds that one while it is looked at.
 */
bool origin_is_ours(const struct peer *p)
{
	char status[TEXT_MAX], map[TEXT_MAX], own[TEXT_MAX], path[32];
	_cleanup_fd_ int dir = -1;
	struct str maps, ours;

	snprintf(path, sizeof(path), "/proc/%ld", (long)p->pid);
	dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || !has_uid(text_of(dir, "status", status), p->uid))
		return false;
	maps = text_of(dir, "uid_map", map);
	ours = text_of(AT_FDCWD, "/proc/self/uid_map", own);
	return ours.n && str_eq(maps, ours);
}
