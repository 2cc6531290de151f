/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A folder under /tmp for one test: `_cleanup_(scratch_done) struct scratch s = scratch_new();` */
#ifndef CRATONS_TESTS_UNIT_SCRATCH_H
#define CRATONS_TESTS_UNIT_SCRATCH_H

#include "base/fd.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

struct scratch {
	char path[64];
	int fd;
};

static inline struct scratch scratch_new(void)
{
	struct scratch s = { "/tmp/cratons-unit-XXXXXX", -1 };

	cr_assert_not_null(mkdtemp(s.path));
	s.fd = open(s.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert_geq(s.fd, 0);
	return s;
}

static inline void scratch_done(struct scratch *s)
{
	close(s->fd);
	cr_assert_eq(remove_all(AT_FDCWD, s->path), 0);
	cr_assert_eq(access(s->path, F_OK), -1);
}

#endif
