// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/door/door-priv.h"

#include "prim/err.h"
#include "tests/unit/scratch.h"

static struct grants grants;

static struct door made(int fd)
{
	static const struct door_publish publish = { .port = 8080 };
	struct door o = { .grants = &grants, .publish = &publish, .npublish = 1, .counts = -1 };

	if (!grants.v.n)
		cr_assert_eq(grants_add(&grants, STR("api.example:443"), NULL), 0);
	cr_assert_eq(counts_make(&o, fd, NULL), 0);
	return o;
}

static int read_it(int fd, struct door_count **all, size_t *n)
{
	static struct arena a;

	return door_counts_read(fd, &a, all, n);
}

Test(counts, are_read_as_they_grow)
{
	_cleanup_(scratch_done) struct scratch s = scratch_new();
	_cleanup_fd_ int fd = openat(s.fd, "counts", O_RDWR | O_CREAT, 0600);
	struct egress_counts row = { 3, 1, 1000, 1ull << 40, 2 };
	struct door o = made(fd);
	struct door_count *all;
	size_t n = 0;

	cr_assert_eq(read_it(fd, &all, &n), 0);
	cr_assert_eq(n, 2u);
	cr_expect_str_eq(all[0].grant, "api.example:443");
	cr_expect_str_eq(all[1].grant, "publish 8080");
	cr_expect_eq(all[0].connections, 0u);
	cr_assert_eq(fd_pwrite_all(o.counts, &row, sizeof(row), sizeof(struct egress_counts_head)), 0);
	cr_assert_eq(read_it(fd, &all, &n), 0);
	cr_expect_eq(all[0].connections, 3u);
	cr_expect_eq(all[0].bytes_in, 1ull << 40);
	cr_expect_eq(all[0].open, 2u);
	fd_closep(&o.counts);
}

/* Cut anywhere, each byte of the head changed, or a name that would drive a terminal. */
Test(counts, what_is_not_whole_is_refused)
{
	_cleanup_(scratch_done) struct scratch s = scratch_new();
	_cleanup_fd_ int fd = openat(s.fd, "counts", O_RDWR | O_CREAT, 0600);
	_cleanup_fd_ int other = openat(s.fd, "other", O_RDWR | O_CREAT, 0600);
	struct door o = made(fd);
	struct door_count *all = NULL;
	uint8_t bytes[512];
	ssize_t len = pread(fd, bytes, sizeof(bytes), 0);
	size_t n = 7;

	cr_assert_gt(len, 192);
	for (ssize_t cut = 0; cut < len; cut++) {
		cr_assert_eq(ftruncate(other, 0), 0);
		cr_assert_eq(fd_pwrite_all(other, bytes, (size_t)cut, 0), 0);
		cr_expect_eq(read_it(other, &all, &n), -EBADMSG, "%zd", cut);
	}
	for (int i = 0; i < 16; i++) {
		bytes[i] ^= 0x81;
		cr_assert_eq(fd_pwrite_all(other, bytes, (size_t)len, 0), 0);
		bytes[i] ^= 0x81;
		cr_expect_eq(read_it(other, &all, &n), -EBADMSG, "%d", i);
	}
	bytes[192] = '\033';
	cr_assert_eq(fd_pwrite_all(other, bytes, (size_t)len, 0), 0);
	cr_expect_eq(read_it(other, &all, &n), -EBADMSG);
	cr_expect_eq(read_it(s.fd, &all, &n), -EBADMSG, "a directory");
	cr_expect_eq(n, 7u);
	cr_expect_null(all);
	fd_closep(&o.counts);
}
