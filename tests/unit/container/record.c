// SPDX-License-Identifier: GPL-2.0-or-later
/* Records: what is written is read back; what could not have been written is refused. */
#include "engine/container/container-priv.h"
#include "prim/err.h"

#include <criterion/criterion.h>
#include <sys/resource.h>

#define ID "0123456789ab"

static const char *const argv[] = { "sh", "-c", "a \"b\" \033[31m\n", NULL };
static const char *const env[] = { "A=1", "B=", NULL };
static const char *const grants[] = { "example.org:443", NULL };
static const char *const published[] = { "127.0.0.1:80:8080", NULL };
static const char *const binds[] = { "ro:/a:/b", NULL };
static struct sandbox_rlimit more[] = { { RLIMIT_NOFILE, 5, RLIM_INFINITY, "RLIMIT_NOFILE" } };
static struct container_traffic traffic[] = { { "example.org:443", 1, 2, 3, 1ULL << 40 } };

static const struct container_annotation annotations[] = { { "a", "b" }, { "c", "" } };

static struct container_record full(void)
{
	return (struct container_record){
		.id = ID, .name = "web", .profile = "container", .package = "npm:p@1", .root = "/r", .cwd = "/w", .hostname = "h",
		.cgroup = "/sys/fs/cgroup/cratons/" ID, .net = "grants", .grants = grants,
		.published = published, .binds = binds, .traffic = traffic, .ntraffic = 1, .argv = argv, .status = CONTAINER_EXITED,
		.supervisor = 11, .init = 12, .init_start = 1ULL << 50, .supervisor_start = 7,
		.boot_id = "b", .created_ms = 1, .started_ms = 2, .ended_ms = 3, .exit_status = 139,
		.ended_by = "oom", .limits = { .memory = 1 << 20, .pids = 5, .best_effort = true },
		.stop_seconds = 9, .logs = true, .remove = true, .seccomp = "default", .filters = "d", .user = "user",
		.home = "/home/user", .uid = 1000, .gid = UINT32_MAX - 1,
		.oci = { "1.0.2", "/b", annotations, 2 },
		.rlimits = { .seconds = 4, .open_files = 64 }, .more = more, .nmore = 1, .env = env,
	};
}

static void print(struct buf *b, const struct container_record *c)
{
	cr_assert_eq(record_print(b, c), 0);
}

Test(record, is_read_as_it_was_written)
{
	_cleanup_arena_ struct arena a = ARENA_INIT;
	_cleanup_buf_ struct buf once = BUF_INIT, twice = BUF_INIT;
	struct container_record c = full(), back;

	print(&once, &c);
	cr_assert_eq(record_parse(&a, buf_str(&once), ID, &back, NULL), 0);
	cr_expect_eq(back.init_start, 1ULL << 50);
	cr_expect_eq(back.traffic[0].bytes_in, 1ULL << 40);
	cr_expect(back.nmore == 1 && back.more[0].soft == 5 && back.more[0].hard == RLIM_INFINITY);
	cr_expect_str_eq(back.argv[2], argv[2]);
	cr_expect_str_eq(back.published[0], published[0]);
	cr_expect_str_eq(back.binds[0], binds[0]);
	cr_expect(back.remove && back.logs && back.limits.best_effort);
	print(&twice, &back);
	cr_assert_str_eq(buf_text(&once), buf_text(&twice));
}

Test(record, of_little_is_read)
{
	_cleanup_arena_ struct arena a = ARENA_INIT;
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct container_record back,
		c = { .id = ID, .profile = "run", .net = "none", .argv = argv, .boot_id = "b" };

	print(&b, &c);
	cr_assert_eq(record_parse(&a, buf_str(&b), ID, &back, NULL), 0);
	cr_expect_null(back.name);
	cr_expect_null(back.env);
	cr_expect_eq(back.status, CONTAINER_CREATED);
}

Test(record, a_long_command_is_cut)
{
	_cleanup_arena_ struct arena a = ARENA_INIT;
	_cleanup_buf_ struct buf b = BUF_INIT;
	static const char *many[10001];
	struct container_record c = full(), back;
	size_t n = 0;

	for (size_t i = 0; i < 10000; i++)
		many[i] = "argument";
	c.argv = many;
	print(&b, &c);
	cr_assert_eq(record_parse(&a, buf_str(&b), ID, &back, NULL), 0);
	while (back.argv[n])
		n++;
	cr_assert_leq(n, 4096);
	cr_assert_str_eq(back.argv[n - 1], "…");
}

/* Cut anywhere, or with any byte changed, it is refused or read, and never read beyond. */
Test(record, damaged_anywhere)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct container_record c = full(), back;

	print(&b, &c);
	for (size_t i = 0; i < b.len; i++) {
		_cleanup_arena_ struct arena a = ARENA_INIT;
		_cleanup_diag_ struct diag d = DIAG_INIT;
		char was = b.data[i];

		cr_assert_eq(record_parse(&a, str_of(b.data, i), ID, &back, &d), -ERR_CONTAINER);
		cr_assert(strstr(buf_text(&d.what), ID));
		b.data[i] = (char)(was ^ 0x15);
		(void)!record_parse(&a, buf_str(&b), ID, &back, &d);
		b.data[i] = was;
	}
}

Test(record, of_another_container)
{
	_cleanup_arena_ struct arena a = ARENA_INIT;
	_cleanup_diag_ struct diag d = DIAG_INIT;
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct container_record c = full(), back;

	print(&b, &c);
	cr_assert_eq(record_parse(&a, buf_str(&b), "ffffffffffff", &back, &d), -ERR_CONTAINER);
	cr_assert(strstr(buf_text(&d.what), "'id'"));
}

Test(record, names)
{
	static const char *const good[] = { "a", "web-1", "A_b.c", "0" };
	static const char *const bad[] = { "", "-a", ".a", "_a", "a b", "a/b", "a\n", "ä", "a\033",
		"0123456789012345678901234567890123456789012345678901234567890123x" };

	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		cr_expect(container_name_valid(good[i]), "%s", good[i]);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		cr_expect(!container_name_valid(bad[i]), "%s", bad[i]);
	cr_expect(container_id_valid(STR("0123456789ab")));
	cr_expect(!container_id_valid(STR("0123456789aB")));
	cr_expect(!container_id_valid(STR("0123456789a")));
	cr_expect(!container_id_valid(STR("../456789abc")));
}
