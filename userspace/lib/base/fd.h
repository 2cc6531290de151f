/* SPDX-License-Identifier: GPL-2.0-or-later */
/* File descriptors: every one is O_CLOEXEC from birth, and close() is never retried. */
#ifndef CRATONS_BASE_FD_H
#define CRATONS_BASE_FD_H

#include "prim/buf.h"

#include <dirent.h>
#include <sys/types.h>
#include <unistd.h>

static inline void fd_closep(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}
#define _cleanup_fd_ _cleanup_(fd_closep)

/* All bytes or an error; EINTR and short counts are handled. 0 or -errno; a file that ends before
 * `len` bytes is -EIO. */
int fd_write_all(int fd, const void *bytes, size_t len);
int fd_pwrite_all(int fd, const void *bytes, size_t len, off_t at);
int fd_read_all(int fd, void *bytes, size_t len);
int fd_pread_all(int fd, void *bytes, size_t len, off_t at);

/* Reads to the end, at most `max` bytes: -ERR_LIMIT past that. */
int fd_slurp(int fd, struct buf *ret, size_t max);

/* Reads a whole regular file, path relative to dirfd; -ERR_LIMIT past max, -ENOENT and the like. */
int file_slurp(int dirfd, const char *path, struct buf *ret, size_t max);

/* Replaces a file so that a reader sees the old or the new contents, never a part: a temporary name
 * beside it, fsync, rename. The old file's mode is kept; a new one gets `mode`. */
int file_replace(int dirfd, const char *path, const void *bytes, size_t len, mode_t mode);

/* Makes a directory and those above it; 0 also when it was there. */
int dir_make_all(int dirfd, const char *path, mode_t mode);

/* Makes the directories of a relative path and opens the last. None of them may be a link (-ELOOP,
 * -ENOTDIR): for places below a directory that somebody else writes too. A descriptor or -errno. */
int dir_open_below(int dirfd, const char *path, mode_t mode);

/* A directory's names. The stream has the descriptor from then on, and closedir() closes it; on failure
 * (NULL and errno) it is closed at once. dir_next leaves out "." and "..": 1, 0 at the end, or -errno. */
DIR *dir_stream(int fd);
int dir_next(DIR *dir, const char **ret_name);

/* Removes a file or a whole directory without following links; 0 also when it was not there. What can be
 * removed is, also when something cannot. */
int remove_all(int dirfd, const char *path);

#endif
