// SPDX-License-Identifier: GPL-2.0-or-later
#include "cas/scan.h"

#include "base/fd.h"
#include "base/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

int scan_folder(int dirfd, const char *path, scan_name_fn fn, void *data)
{
	int fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	const char *name;
	DIR *dir;
	int r;

	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
	dir = dir_stream(fd);
	if (!dir)
		return -errno;
	while ((r = dir_next(dir, &name)) == 1) {
		r = fn(data, fd, name);
		if (r != 0)
			break;
	}
	closedir(dir);
	return r;
}

struct scan {
	scan_fn fn;
	void *data;
};

static int scan_file(void *data, int dirfd, const char *name)
{
	const struct scan *s = data;
	struct digest d;

	return digest_parse(&d, str_from(name)) < 0 ? 0 : s->fn(s->data, &d, dirfd, name);
}

static int scan_subfolder(void *data, int dirfd, const char *name)
{
	return strlen(name) == 2 ? scan_folder(dirfd, name, scan_file, data) : 0;
}

int scan_kind(int store_fd, const char *kind, scan_fn fn, void *data)
{
	struct scan s = { fn, data };

	return scan_folder(store_fd, kind, scan_subfolder, &s);
}

int scan_put_aside(int store_fd, int dirfd, const char *name)
{
	const char *slash = strrchr(name, '/');
	char to[320];
	int r = fault_point("quarantine");

	if (r < 0)
		return r;
	snprintf(to, sizeof(to), "quarantine/%s", slash ? slash + 1 : name);
	if (renameat(dirfd, name, store_fd, to) == 0 || errno == ENOENT)
		return 0;
	/* What cannot be moved there (a folder in its place) must not stay in the way. */
	return remove_all(dirfd, name);
}
