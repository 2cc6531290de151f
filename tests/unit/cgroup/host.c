// SPDX-License-Identifier: GPL-2.0-or-later
/* Real cgroups, where this host lets us make some; limits only where their controllers are. */
#include "engine/cgroup/cgroup-priv.h"
#include "prim/err.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static char id[64];

/* Supervisors that come and go in one place: some step aside while others step back. */
static int come_and_go(int self)
{
	const struct cgroup_limits l = { .memory = 64 << 20 };
	int bad = 0;

	for (int i = 0; i < 12; i++) {
		_cleanup_(cgroup_free_p) struct cgroup *g = NULL;
		_cleanup_diag_ struct diag d = DIAG_INIT;

		snprintf(id, sizeof(id), "unit-%d-%d", self, i);
		if (cgroup_make(&g, id, &l, NULL, NULL, &d) < 0 || !g || cgroup_remove(g) < 0) {
			fprintf(stderr, "%s: %s\n", id, buf_text(&d.what));
			bad++;
		}
	}
	return bad;
}

Test(host, many_come_and_go_in_one_place, .timeout = 300)
{
	_cleanup_place_ struct cgroup_place p = CGROUP_PLACE_INIT;
	unsigned need = CGROUP_BIT(CGROUP_MEMORY);
	int status, bad = 0;

	if (cgroup_place_find(&cgroup_host, need, &p) < 0 || p.root || !p.self || p.others || !(p.gives & need))
		cr_skip_test("this process is not alone in a cgroup that was given to it");
	for (int i = 0; i < 6; i++)
		if (fork() == 0)
			_exit(come_and_go((int)getpid()));
	while (wait(&status) > 0)
		bad += WIFEXITED(status) ? WEXITSTATUS(status) : 100;
	cr_expect_eq(bad, 0);
}

static struct cgroup *make(const struct cgroup_limits *l)
{
	_cleanup_place_ struct cgroup_place p = CGROUP_PLACE_INIT;
	_cleanup_diag_ struct diag d = DIAG_INIT;
	unsigned need = cgroup_limits_need(l);
	struct cgroup *g = NULL;

	if (cgroup_place_find(&cgroup_host, need, &p) < 0 || (p.gives & need) != need)
		cr_skip_test("no place that gives these controllers");
	snprintf(id, sizeof(id), "unit-%d", (int)getpid());
	cr_assert_eq(cgroup_make(&g, id, l, NULL, NULL, &d), 0, "%s", buf_text(&d.what));
	cr_assert_not_null(g);
	return g;
}

static pid_t born_in(const struct cgroup *g)
{
	struct clone_args args = { .flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD,
		.cgroup = (uint64_t)cgroup_fd(g) };
	pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));

	cr_assert_geq(pid, 0, "%s", strerror(errno));
	return pid;
}

static pid_t sleeper(const struct cgroup *g)
{
	pid_t pid = born_in(g);

	for (; pid == 0;)
		pause();
	return pid;
}

static void removed(struct cgroup *g)
{
	_cleanup_buf_ struct buf path = BUF_INIT;

	buf_adds(&path, cgroup_path(g));
	cr_assert_eq(cgroup_remove(g), 0);
	cr_assert_neq(access(path.data, F_OK), 0);
	cgroup_free(g);
}

Test(host, makes_counts_and_removes)
{
	struct cgroup *g = make(&(struct cgroup_limits){ 0 }), *again = NULL;
	pid_t pid = sleeper(g);
	struct cgroup_usage u;

	cr_assert_eq(cgroup_make(&again, id, &(struct cgroup_limits){ 0 }, NULL, NULL, NULL), -EEXIST);
	cr_assert_eq(cgroup_open(&again, cgroup_path(g), NULL), 0);
	cr_assert_eq(cgroup_usage(again, &u), 0);
	cr_assert_neq(u.cpu_micros, CGROUP_UNLIMITED);
	cr_assert_null(cgroup_reason(again));
	cgroup_free(again);
	cr_assert_eq(cgroup_kill(g), 0);
	cr_assert_eq(waitpid(pid, NULL, 0), pid);
	removed(g);
}

Test(host, kills_all_that_fork)
{
	struct cgroup *g = make(&(struct cgroup_limits){ 0 });
	pid_t pid = born_in(g);
	int status;

	if (pid == 0)
		for (int i = 0;; i++)
			if (i >= 6 || fork() < 0)
				pause();
	usleep(100000);
	cr_assert_eq(cgroup_kill(g), 0);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	removed(g);
}

Test(host, freezes_and_thaws)
{
	struct cgroup *g = make(&(struct cgroup_limits){ 0 });
	bool frozen = true;

	sleeper(g);
	cr_assert_eq(cgroup_frozen(g, &frozen), 0);
	cr_assert_not(frozen);
	cr_assert_eq(cgroup_freeze(g, true), 0);
	cr_assert_eq(cgroup_frozen(g, &frozen), 0);
	cr_assert(frozen);
	cr_assert_eq(cgroup_freeze(g, false), 0);
	cr_assert_eq(cgroup_frozen(g, &frozen), 0);
	cr_assert_not(frozen);
	/* What is frozen can be killed as it is. */
	cr_assert_eq(cgroup_freeze(g, true), 0);
	cr_assert_eq(cgroup_kill(g), 0);
	wait(NULL);
	removed(g);
}

Test(host, removes_what_was_made_below)
{
	struct cgroup *g = make(&(struct cgroup_limits){ 0 });
	_cleanup_buf_ struct buf b = BUF_INIT;

	buf_addf(&b, "%s/a/b/c", cgroup_path(g));
	cr_assert_eq(dir_make_all(AT_FDCWD, b.data, 0755), 0);
	removed(g);
}

Test(host, is_gone_for_who_opened_it)
{
	struct cgroup *g = make(&(struct cgroup_limits){ 0 }), *other = NULL;
	struct cgroup_usage u;

	cr_assert_eq(cgroup_open(&other, cgroup_path(g), NULL), 0);
	removed(g);
	cr_assert_eq(cgroup_usage(other, &u), -ENOENT);
	cr_assert_eq(cgroup_kill(other), -ENOENT);
	cr_assert_eq(cgroup_freeze(other, true), -ENOENT);
	cr_assert_eq(cgroup_remove(other), 0);
	cgroup_free(other);
}

static void count_warning(void *data, const char *text)
{
	++*(unsigned *)data;
}

/* What this host lacks is refused by name, with a remedy, or left out with a warning each. */
Test(host, names_the_controller_that_is_missing)
{
	const struct cgroup_limits all = { .memory = 64 << 20, .pids = 10, .cpu_micros = 500000,
		.io_weight = 100 };
	struct cgroup_limits best = all;
	_cleanup_place_ struct cgroup_place p = CGROUP_PLACE_INIT;
	_cleanup_diag_ struct diag d = DIAG_INIT;
	struct cgroup *g = NULL;
	unsigned warned = 0;

	if (cgroup_place_find(&cgroup_host, CGROUP_ALL, &p) == 0 && p.gives == CGROUP_ALL)
		cr_skip_test("this host has all controllers");
	cr_assert_eq(cgroup_make(&g, "unit-missing", &all, NULL, NULL, &d), -ERR_NO_WALL);
	cr_assert_null(g);
	cr_assert_not_null(strstr(buf_text(&d.what), "cannot limit "));
	cr_assert_neq(d.hint.len, 0);
	best.best_effort = true;
	cr_assert_eq(cgroup_make(&g, "unit-missing", &best, count_warning, &warned, &d), 0);
	cr_assert_geq(warned, 1);
	cr_assert_eq(cgroup_remove(g), 0);
	cgroup_free(g);
}

static const char *wait_for_reason(struct cgroup *g, int fd)
{
	const char *why = NULL;
	struct pollfd p = { fd, POLLPRI };

	for (int i = 0; i < 100 && !why; i++) {
		poll(&p, 1, 1000);
		why = cgroup_reason(g);
	}
	return why;
}

Test(host, memory_flood_ends_with_oom)
{
	struct cgroup *g = make(&(struct cgroup_limits){ .memory = 32 << 20 });
	pid_t pid = born_in(g);
	struct cgroup_usage u;
	int status;

	if (pid == 0)
		for (;;) {
			char *p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

			if (p == MAP_FAILED)
				_exit(1);
		}
	cr_assert_str_eq(wait_for_reason(g, cgroup_memory_events(g)), "oom");
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	cr_assert_eq(cgroup_usage(g, &u), 0);
	cr_assert_geq(u.oom_kills, 1);
	removed(g);
}

Test(host, a_refused_process_is_told)
{
	struct cgroup *g = make(&(struct cgroup_limits){ .pids = 8 });
	pid_t pid = born_in(g);
	struct cgroup_usage u;

	if (pid == 0)
		for (;;)
			if (fork() < 0)
				usleep(1000);
	cr_assert_str_eq(wait_for_reason(g, cgroup_pids_events(g)), "pids");
	cr_assert_eq(cgroup_usage(g, &u), 0);
	cr_assert_leq(u.pids, 8);
	cr_assert_eq(cgroup_kill(g), 0);
	waitpid(pid, NULL, 0);
	removed(g);
}

Test(host, processor_time_is_bounded)
{
	struct cgroup *g = make(&(struct cgroup_limits){ .cpu_micros = 100000 });
	pid_t pid = born_in(g);
	struct cgroup_usage u;

	for (volatile unsigned i = 0; pid == 0;)
		i = i + 1;
	sleep(2);
	cr_assert_eq(cgroup_usage(g, &u), 0);
	/* A tenth of two seconds, and what a period or two allow beyond it. */
	cr_assert_leq(u.cpu_micros, 500000);
	cr_assert_eq(cgroup_kill(g), 0);
	waitpid(pid, NULL, 0);
	removed(g);
}

Test(host, describes_itself)
{
	_cleanup_arena_ struct arena a = ARENA_INIT;
	const char *text = NULL, *fix = NULL;

	cr_assert_eq(cgroup_describe(&a, &text, &fix), 0);
	cr_assert_not_null(text);
	cr_assert_neq(text[0], '\0');
}
