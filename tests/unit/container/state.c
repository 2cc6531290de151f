// SPDX-License-Identifier: GPL-2.0-or-later
/* Processes by birth, logs by size, locks, and what a killed supervisor leaves. */
#include "engine/container/container-priv.h"
#include "prim/err.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>

static int make_home(char path[32])
{
	snprintf(path, 32, "/tmp/unit-container-XXXXXX");
	cr_assert_not_null(mkdtemp(path));
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

Test(process, is_that_one_only)
{
	uint64_t start;
	int fd;

	cr_assert_eq(process_start(getpid(), &start), 0);
	fd = process_open(getpid(), start);
	cr_assert_geq(fd, 0);
	close(fd);
	cr_expect_eq(process_open(getpid(), start + 1), -ESRCH);
	cr_expect_eq(process_open(0, 0), -ESRCH);
	cr_expect_eq(process_open(-1, 0), -ESRCH);
	cr_expect_eq(process_open(1 << 22, start), -ESRCH);
}

static uint64_t size_of(int dir, const char *name)
{
	struct stat st;

	return fstatat(dir, name, &st, 0) == 0 ? (uint64_t)st.st_size : 0;
}

Test(logs, are_bounded)
{
	char path[32], line[32];
	int dir = make_home(path);
	struct log_file l = { .dir = dir, .fd = -1, .name = "stdout.log", .max = 1000 };
	_cleanup_buf_ struct buf b = BUF_INIT;

	l.fd = openat(dir, l.name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	for (int i = 0; i < 1000; i++) {
		int n = snprintf(line, sizeof(line), "line %d\n", i);

		log_append(&l, line, (size_t)n);
	}
	cr_expect_leq(size_of(dir, "stdout.log"), 1000);
	cr_expect_eq(size_of(dir, "stdout.log.1"), 1000);
	cr_assert_eq(file_slurp(dir, "stdout.log", &b, 4096), 0);
	cr_expect(str_ends(buf_str(&b), STR("line 999\n")));
	close(l.fd);
	close(dir);
	remove_all(AT_FDCWD, path);
}

static const char *const argv[] = { "true", NULL };

static const struct container_spec spec;

static void describe(struct supervised *c, const char *name)
{
	char boot[37];

	*c = (struct supervised){ .all = -1, .dir = -1, .lock = -1, .spec = &spec };
	cr_assert_eq(process_boot_id(boot), 0);
	c->rec = (struct container_record){ .name = name, .profile = "container", .net = "none", .argv = argv,
		.boot_id = arena_str(&c->arena, str_from(boot)).p, .created_ms = 1 };
}

Test(state, is_lost_when_nobody_holds_it)
{
	_cleanup_arena_ struct arena a = ARENA_INIT;
	_cleanup_diag_ struct diag d = DIAG_INIT;
	struct container_record *list;
	struct supervised c, same;
	char path[32];
	int home = make_home(path);
	size_t n;

	describe(&c, "web");
	cr_assert_eq(container_create(&c, home, false, &d), 0, "%s", buf_text(&d.what));
	c.rec.status = CONTAINER_RUNNING;
	cr_assert_eq(container_save(&c), 0);
	cr_assert_eq(container_list(home, &a, &list, &n, NULL, NULL, NULL), 0);
	cr_assert_eq(n, 1);
	cr_expect_eq(list[0].status, CONTAINER_RUNNING);
	describe(&same, "web");
	cr_expect_eq(container_create(&same, home, false, &d), -ERR_CONTAINER);
	container_done(&same);
	container_done(&c);
	cr_assert_eq(container_list(home, &a, &list, &n, NULL, NULL, NULL), 0);
	cr_assert_eq(n, 1);
	cr_expect_eq(list[0].status, CONTAINER_LOST);
	cr_expect_eq(container_remove(home, &list[0], false, NULL), 0);
	cr_assert_eq(container_list(home, &a, &list, &n, NULL, NULL, NULL), 0);
	cr_expect_eq(n, 0);
	close(home);
	remove_all(AT_FDCWD, path);
}

static const char *found(int home, const char *which, struct diag *d)
{
	static char id[CONTAINER_ID_HEX + 1];
	_cleanup_arena_ struct arena a = ARENA_INIT;
	struct container_record c;

	if (container_find(home, &a, which, &c, d) < 0)
		return NULL;
	snprintf(id, sizeof(id), "%s", c.id);
	return id;
}

Test(state, is_found_by_name_id_or_its_beginning)
{
	_cleanup_diag_ struct diag d = DIAG_INIT;
	struct supervised c[2], other;
	char path[32], start[2] = "";
	int home = make_home(path);

	describe(&c[0], "web");
	describe(&c[1], NULL);
	for (int i = 0; i < 2; i++)
		cr_assert_eq(container_create(&c[i], home, false, &d), 0);
	cr_expect_str_eq(found(home, "web", &d), c[0].rec.id);
	cr_expect_str_eq(found(home, c[0].rec.id, &d), c[0].rec.id);
	cr_expect_str_eq(found(home, c[1].rec.id, &d), c[1].rec.id);
	cr_expect_null(found(home, "we", &d));
	cr_expect_null(found(home, "", &d));
	cr_expect_null(found(home, "../containers", &d));
	start[0] = c[1].rec.id[0];
	if (c[0].rec.id[0] != c[1].rec.id[0])
		cr_expect_str_eq(found(home, start, &d), c[1].rec.id);
	else
		cr_expect(!found(home, start, &d) && strstr(buf_text(&d.hint), c[0].rec.id));
	/* A directory whose record is gone has no name to be taken. */
	cr_assert_eq(unlinkat(c[0].dir, "metadata.json", 0), 0);
	cr_expect_null(found(home, "web", &d));
	describe(&other, "web");
	cr_assert_eq(container_create(&other, home, false, &d), 0);
	cr_expect_str_eq(found(home, "web", &d), other.rec.id);
	container_done(&other);
	for (int i = 0; i < 2; i++)
		container_done(&c[i]);
	close(home);
	remove_all(AT_FDCWD, path);
}

/* One that is being made is nobody's business, and swept when its maker is gone. */
Test(state, what_is_being_made_is_swept_after_its_maker)
{
	_cleanup_arena_ struct arena a = ARENA_INIT;
	struct container_record *list;
	struct supervised c;
	char path[32];
	int home = make_home(path);
	size_t n;

	describe(&c, NULL);
	cr_assert_eq(container_create(&c, home, true, NULL), 0);
	cr_assert_eq(container_list(home, &a, &list, &n, NULL, NULL, NULL), 0);
	cr_expect_eq(n, 0);
	cr_expect_eq(faccessat(c.all, c.place, F_OK, 0), 0, "it is still there");
	fd_closep(&c.lock);
	cr_assert_eq(container_list(home, &a, &list, &n, NULL, NULL, NULL), 0);
	cr_expect_eq(faccessat(c.all, c.place, F_OK, 0), -1, "it was swept");
	container_done(&c);
	close(home);
	remove_all(AT_FDCWD, path);
}

/* The record's own numbers are of a process that was born at another time: it is left alone. */
Test(state, a_reused_number_is_not_signalled)
{
	_cleanup_arena_ struct arena a = ARENA_INIT;
	struct container_record *list;
	struct supervised c;
	char path[32];
	int home = make_home(path);
	pid_t child = fork();
	uint64_t start;
	size_t n;

	if (child == 0) {
		pause();
		_exit(0);
	}
	cr_assert_eq(process_start(child, &start), 0);
	describe(&c, NULL);
	cr_assert_eq(container_create(&c, home, false, NULL), 0);
	c.rec.status = CONTAINER_RUNNING;
	c.rec.init = child;
	c.rec.init_start = start + 1;
	cr_assert_eq(container_save(&c), 0);
	container_done(&c);
	cr_assert_eq(container_list(home, &a, &list, &n, NULL, NULL, NULL), 0);
	cr_expect_eq(list[0].status, CONTAINER_LOST);
	cr_expect_eq(waitpid(child, NULL, WNOHANG), 0, "it lives");
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	close(home);
	remove_all(AT_FDCWD, path);
}
