// SPDX-License-Identifier: GPL-2.0-or-later
/* The seccomp programs of a container: read back as they were, or not at all. */
#include "engine/container/container-priv.h"
#include "prim/err.h"
#include "prim/hash.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>

static struct sock_filter allow[] = { { BPF_RET | BPF_K, 0, 0, 0x7fff0000 } };
static struct sock_filter refuse[] = { { BPF_LD | BPF_W | BPF_ABS, 0, 0, 0 }, { BPF_RET | BPF_K, 0, 0, 0x50001 } };
static struct sock_fprog both[] = { { 1, allow }, { 2, refuse } };
static const char *const argv[] = { "true", NULL };

struct fixture {
	char path[32];
	int home;
	struct container_spec spec;
	struct supervised c;
	struct arena arena;
};

static void make(struct fixture *f, struct sandbox s)
{
	*f = (struct fixture){ .path = "/tmp/unit-container-XXXXXX", .spec = { .sandbox = s } };
	cr_assert_not_null(mkdtemp(f->path));
	f->home = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	f->c = (struct supervised){ .all = -1, .dir = -1, .lock = -1, .spec = &f->spec,
		.rec = { .profile = "container", .net = "none", .argv = argv, .boot_id = "b" } };
	cr_assert_eq(container_create(&f->c, f->home, false, NULL), 0);
	f->c.rec.place = f->c.place;
}

static void done(struct fixture *f)
{
	container_done(&f->c);
	arena_done(&f->arena);
	close(f->home);
	remove_all(AT_FDCWD, f->path);
}

static bool same(struct sock_fprog a, struct sock_fprog b)
{
	return a.len == b.len && (!a.len || memcmp(a.filter, b.filter, a.len * sizeof(*a.filter)) == 0);
}

static void expect_back(struct sandbox s)
{
	struct sandbox back = { 0 };
	struct fixture f;

	make(&f, s);
	cr_assert_eq(filters_load(f.home, &f.arena, &f.c.rec, &back, NULL), 0);
	cr_expect_eq(!s.seccomp_programs, !back.seccomp_programs);
	for (int i = 0; s.seccomp_programs && i < 2; i++)
		cr_expect(same(s.seccomp_programs[i], back.seccomp_programs[i]));
	cr_expect(same(s.seccomp_besides, back.seccomp_besides));
	done(&f);
}

Test(filters, are_read_as_they_were)
{
	expect_back((struct sandbox){ 0 });
	expect_back((struct sandbox){ .seccomp_programs = both });
	expect_back((struct sandbox){ .seccomp_besides = both[1] });
	expect_back((struct sandbox){ .seccomp_programs = both, .seccomp_besides = both[0] });
}

/* Whatever its digest: the record says that there are some. */
static void expect_refused(const void *bytes, size_t n)
{
	struct digest digest = hash_bytes(bytes, n);
	struct sandbox back = { 0 };
	char hex[DIGEST_HEX];
	struct fixture f;
	int fd;

	make(&f, (struct sandbox){ .seccomp_programs = both });
	fd = openat(f.c.dir, "filters", O_WRONLY | O_TRUNC | O_CLOEXEC);
	cr_assert_eq(fd_write_all(fd, bytes, n), 0);
	close(fd);
	cr_expect_eq(filters_load(f.home, &f.arena, &f.c.rec, &back, NULL), -ERR_CONTAINER);
	f.c.rec.filters = digest_hex(&digest, hex);
	cr_expect_eq(filters_load(f.home, &f.arena, &f.c.rec, &back, NULL), -ERR_CONTAINER);
	cr_expect(!back.seccomp_programs && !back.seccomp_besides.len);
	done(&f);
}

Test(filters, that_are_malformed_are_refused)
{
	static const struct {
		uint32_t length[3];
		struct sock_filter code[4];
	} none = { 0 }, half = { { 1, 0, 1 }, { { 0 } } }, large = { { 1, 1, 0xffffffff }, { { 0 } } },
		wraps = { { 0x80000000, 0x80000000, 4 }, { { 0 } } }, fits = { { 1, 2, 1 }, { { 0 } } };

	expect_refused("", 0);
	expect_refused(&none, sizeof(none.length));
	expect_refused(&none, sizeof(none.length) - 1);
	expect_refused(&half, sizeof(half.length) + 2 * sizeof(*half.code));
	expect_refused(&large, sizeof(large));
	expect_refused(&wraps, sizeof(wraps));
	expect_refused(&fits, sizeof(fits) - 1);
	expect_refused(&fits, sizeof(fits) - sizeof(*fits.code));
}
