// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/arena.h"
#include "base/fd.h"
#include "base/map.h"
#include "prim/err.h"
#include "tests/unit/scratch.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

Test(map, finds_all_and_walks_in_insertion_order)
{
	_cleanup_arena_ struct arena a = ARENA_INIT;
	_cleanup_map_ struct map m = MAP_INIT;
	size_t n = 0;

	cr_assert_null(map_get(&m, STR("x")));
	for (size_t i = 0; i < 5000; i++)
		cr_assert_eq(map_put(&m, arena_fmt(&a, "key-%zu", i), (void *)(i + 1)), 0);
	cr_assert_eq(map_put(&m, STR("key-7"), (void *)1), 0);
	cr_assert_eq(m.n, 5000);
	cr_assert_eq(map_get(&m, STR("key-7")), (void *)1);
	cr_assert_eq(map_get(&m, STR("key-4999")), (void *)5000);
	cr_assert_null(map_get(&m, STR("key-5000")));
	map_foreach(e, &m)
		cr_assert(str_eq(e->key, arena_fmt(&a, "key-%zu", n++)));
}

Test(arena, keeps_its_maximum)
{
	_cleanup_arena_ struct arena a = { .max = 1 << 20 };

	cr_assert_null(arena_alloc(&a, 2 << 20));
	cr_assert_null(arena_array(&a, SIZE_MAX / 2, 4));
	cr_assert_not_null(arena_alloc(&a, 100));
}

Test(fd, replace_keeps_mode_and_leaves_no_temporary)
{
	_cleanup_(scratch_done) struct scratch s = scratch_new();
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct stat st;

	cr_assert_eq(file_replace(s.fd, "f", "one", 3, 0640), 0);
	cr_assert_eq(fchmodat(s.fd, "f", 0600, 0), 0);
	cr_assert_eq(file_replace(s.fd, "f", "three", 5, 0644), 0);
	cr_assert_eq(file_slurp(s.fd, "f", &b, 100), 0);
	cr_assert_str_eq(buf_text(&b), "three");
	cr_assert_eq(fstatat(s.fd, "f", &st, 0), 0);
	cr_assert_eq(st.st_mode & 0777, 0600);
	cr_assert_eq(file_slurp(s.fd, "f", &b, 4), -ERR_LIMIT);
	cr_assert_eq(file_slurp(s.fd, "none", &b, 4), -ENOENT);
	cr_assert_eq(file_slurp(s.fd, ".", &b, 4), -EISDIR);
}

/* As an ordinary user, whom modes bind; it is enough that the effective one is. */
static void become_ordinary(const struct scratch *s)
{
	if (geteuid() == 0) {
		cr_assert_eq(fchown(s->fd, 65534, 65534), 0);
		cr_assert_eq(setegid(65534), 0);
		cr_assert_eq(seteuid(65534), 0);
	}
}

static void become_oneself(void)
{
	(void)!seteuid(0);
	(void)!setegid(0);
}

Test(fd, removes_what_may_not_be_read_or_written)
{
	_cleanup_(scratch_done) struct scratch s = scratch_new();
	struct stat st;

	become_ordinary(&s);
	cr_assert_eq(dir_make_all(s.fd, "top/closed/below", 0755), 0);
	cr_assert_eq(file_replace(s.fd, "top/closed/below/f", "x", 1, 0644), 0);
	cr_assert_eq(symlinkat("/", s.fd, "top/link"), 0);
	cr_assert_eq(fchmodat(s.fd, "top/closed/below", 0555, 0), 0);
	cr_assert_eq(fchmodat(s.fd, "top/closed", 0, 0), 0);
	cr_assert_eq(remove_all(s.fd, "top"), 0);
	cr_assert_lt(fstatat(s.fd, "top", &st, AT_SYMLINK_NOFOLLOW), 0);
	cr_assert_eq(remove_all(s.fd, "top"), 0);
	become_oneself();
}

Test(fd, removes_what_is_deeper_than_there_are_descriptors)
{
	_cleanup_(scratch_done) struct scratch s = scratch_new();
	_cleanup_fd_ int at = openat(s.fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	for (int i = 0; i < 3000; i++) {
		int next;

		cr_assert_eq(mkdirat(at, "d", 0755), 0);
		next = openat(at, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		cr_assert_geq(next, 0);
		close(at);
		at = next;
	}
	cr_assert_eq(file_replace(at, "f", "x", 1, 0644), 0);
	cr_assert_eq(remove_all(s.fd, "d"), 0);
	cr_assert_lt(fstatat(s.fd, "d", &st, AT_SYMLINK_NOFOLLOW), 0);
}

Test(fd, slurp_reads_what_has_no_size)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	cr_assert_eq(file_slurp(AT_FDCWD, "/proc/self/status", &b, 1 << 20), 0);
	cr_assert_gt(b.len, 100);
}
