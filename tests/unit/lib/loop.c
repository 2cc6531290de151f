// SPDX-License-Identifier: GPL-2.0-or-later
/* Every case runs on both backends; io_uring's are skipped, with the reason, where it is refused. */
#include "base/fd.h"
#include "base/loop.h"
#include "prim/err.h"
#include "tests/unit/scratch.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

static struct loop *make(enum loop_backend kind)
{
	struct loop *l = NULL;
	int r = loop_new(&l, kind, NULL);

	if (kind == LOOP_URING && (r == -ENOSYS || r == -EPERM))
		cr_skip_test("io_uring is refused here: %s", err_sentence(r));
	cr_assert_eq(r, 0);
	cr_assert_eq(loop_backend(l), kind);
	return l;
}

#define BOTH(name)                                                                                 \
	static void name(struct loop *l);                                                          \
	Test(uring, name, .timeout = 30)                                                           \
	{                                                                                          \
		struct loop *l = make(LOOP_URING);                                                 \
		name(l);                                                                           \
		loop_free(l);                                                                      \
	}                                                                                          \
	Test(plain, name, .timeout = 30)                                                           \
	{                                                                                          \
		struct loop *l = make(LOOP_PLAIN);                                                 \
		name(l);                                                                           \
		loop_free(l);                                                                      \
	}                                                                                          \
	static void name(struct loop *l)

struct seen {
	struct loop *loop;
	int n;
	unsigned events;
	int fd;
	char order[64];
};

static void note(struct seen *s, char c)
{
	cr_assert_lt(s->n, (int)sizeof(s->order) - 1);
	s->order[s->n++] = c;
	s->order[s->n] = '\0';
}

static void on_a(void *data)
{
	note(data, 'a');
}

static void on_b(void *data)
{
	note(data, 'b');
}

static void on_event(void *data, int fd, unsigned events)
{
	struct seen *s = data;

	s->n++;
	s->fd = fd;
	s->events = events;
}

static void pair(int fds[2])
{
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
}

BOTH(a_watch_is_level_triggered_until_ended)
{
	struct seen s = { .loop = l };
	int fds[2];

	pair(fds);
	cr_assert_eq(loop_watch(l, fds[0], POLLIN, on_event, &s), 0);
	cr_assert_eq(loop_step(l, 0), 0);
	cr_assert_eq(s.n, 0);
	cr_assert_eq(write(fds[1], "x", 1), 1);
	for (int i = 1; i <= 3; i++) {
		cr_assert_eq(loop_step(l, 1000), 0);
		cr_assert_eq(s.n, i);
		cr_assert_eq(s.fd, fds[0]);
		cr_assert(s.events & POLLIN);
	}
	cr_assert_eq(loop_watch(l, fds[0], POLLOUT, on_event, &s), 0);
	cr_assert_eq(loop_step(l, 1000), 0);
	cr_assert_eq(s.n, 4);
	cr_assert_eq(s.events, POLLOUT);
	cr_assert_eq(loop_watch(l, fds[0], 0, NULL, NULL), 0);
	cr_assert_eq(loop_step(l, 10), 0);
	cr_assert_eq(s.n, 4);
	close(fds[0]);
	close(fds[1]);
}

/* The number of a closed descriptor is used again at once, as sockets do. */
BOTH(a_number_used_again_is_another_watch)
{
	struct seen old = { .loop = l }, new = { .loop = l };
	int fds[2], again[2], number;

	pair(fds);
	number = fds[0];
	cr_assert_eq(loop_watch(l, number, POLLIN, on_event, &old), 0);
	cr_assert_eq(loop_step(l, 0), 0);
	cr_assert_eq(write(fds[1], "x", 1), 1);
	cr_assert_eq(loop_watch(l, number, 0, NULL, NULL), 0);
	close(number);
	pair(again);
	cr_assert_eq(again[0], number);
	cr_assert_eq(loop_watch(l, number, POLLIN, on_event, &new), 0);
	cr_assert_eq(loop_step(l, 10), 0);
	cr_assert_eq(old.n + new.n, 0);
	cr_assert_eq(write(again[1], "y", 1), 1);
	cr_assert_eq(loop_step(l, 1000), 0);
	cr_assert_eq(old.n, 0);
	cr_assert_eq(new.n, 1);
	close(again[0]);
	close(again[1]);
	close(fds[1]);
}

struct two {
	struct loop *loop;
	int fds[2];
	int n;
};

static void on_either(void *data, int fd, unsigned events)
{
	struct two *t = data;

	t->n++;
	cr_assert_eq(loop_watch(t->loop, t->fds[0], 0, NULL, NULL), 0);
	cr_assert_eq(loop_watch(t->loop, t->fds[1], 0, NULL, NULL), 0);
}

BOTH(an_event_on_its_way_dies_with_its_watch)
{
	struct two t = { .loop = l };
	int a[2], b[2];

	pair(a);
	pair(b);
	t.fds[0] = a[0];
	t.fds[1] = b[0];
	cr_assert_eq(loop_watch(l, a[0], POLLOUT, on_either, &t), 0);
	cr_assert_eq(loop_watch(l, b[0], POLLOUT, on_either, &t), 0);
	for (int i = 0; i < 3; i++)
		cr_assert_eq(loop_step(l, 10), 0);
	cr_assert_eq(t.n, 1);
	close(a[0]), close(a[1]), close(b[0]), close(b[1]);
}

BOTH(a_hang_up_is_told)
{
	struct seen s = { .loop = l };
	int fds[2];

	pair(fds);
	cr_assert_eq(loop_watch(l, fds[0], POLLIN, on_event, &s), 0);
	close(fds[1]);
	cr_assert_eq(loop_step(l, 1000), 0);
	cr_assert(s.events & POLLHUP);
	cr_assert_eq(loop_watch(l, fds[0], 0, NULL, NULL), 0);
	close(fds[0]);
}

BOTH(hundreds_of_watches)
{
	enum { N = 300 };
	struct seen s[N] = { 0 };
	struct rlimit limit = { 2048, 2048 };
	int fds[N][2], all = 0;

	(void)setrlimit(RLIMIT_NOFILE, &limit);
	for (int i = 0; i < N; i++) {
		pair(fds[i]);
		cr_assert_eq(loop_watch(l, fds[i][0], POLLIN, on_event, &s[i]), 0);
		cr_assert_eq(write(fds[i][1], "x", 1), 1);
	}
	for (int step = 0; step < 50 && all < N; step++) {
		cr_assert_eq(loop_step(l, 100), 0);
		all = 0;
		for (int i = 0; i < N; i++)
			all += s[i].n > 0;
	}
	cr_assert_eq(all, N);
}

static uint64_t ms_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

BOTH(timers_fire_in_order_and_once)
{
	struct seen s = { .loop = l };
	uint64_t from = ms_now(), never;

	loop_timer(l, 30, on_b, &s);
	loop_timer(l, 10, on_a, &s);
	never = loop_timer(l, 20, on_a, &s);
	loop_timer(l, 10, on_b, &s);
	loop_timer_cancel(l, never);
	loop_timer_cancel(l, never);
	loop_timer_cancel(l, 0);
	while (s.n < 3)
		cr_assert_eq(loop_step(l, -1), 0);
	cr_assert_geq(ms_now() - from, 29);
	cr_assert_eq(loop_step(l, 30), 0);
	cr_assert_str_eq(s.order, "abb");
}

static void again(void *data)
{
	struct seen *s = data;

	note(s, '.');
	loop_timer(s->loop, 0, again, s);
}

BOTH(a_timer_that_makes_timers_does_not_hold_a_step)
{
	struct seen s = { .loop = l };

	loop_timer(l, 0, again, &s);
	cr_assert_eq(loop_step(l, 1000), 0);
	cr_assert_eq(s.n, 1);
	cr_assert_eq(loop_step(l, 1000), 0);
	cr_assert_eq(s.n, 2);
}

BOTH(a_step_waits_no_longer_than_told)
{
	uint64_t from = ms_now();

	cr_assert_eq(loop_step(l, 20), 0);
	cr_assert_geq(ms_now() - from, 19);
	cr_assert_lt(ms_now() - from, 5000);
}

/* Posts */

struct counter {
	struct loop *loop;
	pthread_t owner;
	int n;
};

static void count(void *data)
{
	struct counter *c = data;

	cr_assert(pthread_equal(pthread_self(), c->owner));
	c->n++;
}

static void *poster(void *data)
{
	struct counter *c = data;

	for (int i = 0; i < 1000; i++)
		cr_assert_eq(loop_post(c->loop, count, c), 0);
	return NULL;
}

BOTH(posts_from_threads_all_arrive)
{
	struct counter c = { .loop = l, .owner = pthread_self() };
	pthread_t t[4];

	for (size_t i = 0; i < ARRAY_SIZE(t); i++)
		cr_assert_eq(pthread_create(&t[i], NULL, poster, &c), 0);
	while (c.n < 4000)
		cr_assert_eq(loop_step(l, -1), 0);
	for (size_t i = 0; i < ARRAY_SIZE(t); i++)
		pthread_join(t[i], NULL);
	cr_assert_eq(loop_post(l, count, &c), 0);	/* left behind: freed with the loop */
}

/* Pool */

struct work {
	struct counter *counter;
	int worked;
};

static void work(void *data)
{
	struct work *w = data;

	cr_assert_not(pthread_equal(pthread_self(), w->counter->owner));
	w->worked++;
}

static void worked(void *data)
{
	struct work *w = data;

	cr_assert_eq(w->worked, 1);
	count(w->counter);
}

BOTH(a_pool_does_each_job_once_and_tells_the_loop)
{
	struct counter c = { .loop = l, .owner = pthread_self() };
	struct work jobs[500];
	struct pool *p;
	int n = 0;

	cr_assert_eq(pool_new(&p, l, 3, 64), 0);
	while (c.n < 500) {
		while (n < 500) {
			jobs[n] = (struct work){ .counter = &c };
			if (pool_run(p, work, worked, &jobs[n]) == -EAGAIN)
				break;
			n++;
		}
		cr_assert_eq(loop_step(l, n < 500 ? 1 : -1), 0);
	}
	pool_free(p);
}

static void linger(void *data)
{
	usleep(20000);
}

BOTH(a_pool_has_a_bound_and_can_be_freed_full)
{
	struct counter c = { .loop = l, .owner = pthread_self() };
	struct pool *p;
	int n = 0;

	cr_assert_eq(pool_new(&p, l, 1, 8), 0);
	while (pool_run(p, linger, count, &c) == 0)
		cr_assert_lt(++n, 12);
	usleep(30000);
	pool_free(p);
	cr_assert_eq(loop_step(l, 0), 0);
	cr_assert_eq(c.n, 0);
}

/* File writes */

struct write_seen {
	int n, result;
};

static void on_written(void *data, int result)
{
	struct write_seen *w = data;

	w->n++;
	w->result = result;
}

static int write_one(struct loop *l, int dirfd, const char *temporary, const char *name,
	const void *bytes, size_t len, bool sync)
{
	struct write_seen w = { 0 };

	cr_assert_eq(loop_write_file(l, dirfd, temporary, name, bytes, len, 0640, sync, on_written,
			     &w), 0);
	cr_assert_eq(w.n, 0);
	while (w.n == 0)
		cr_assert_eq(loop_step(l, -1), 0);
	return w.result;
}

static bool there(const struct scratch *s, const char *name)
{
	return faccessat(s->fd, name, F_OK, 0) == 0;
}

BOTH(a_file_is_written_whole_or_not_at_all)
{
	_cleanup_(scratch_done) struct scratch s = scratch_new();
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct stat st;

	umask(022);
	cr_assert_eq(write_one(l, s.fd, "t", "f", "hello", 5, false), 0);
	cr_assert_eq(file_slurp(s.fd, "f", &b, 100), 0);
	cr_assert_str_eq(buf_text(&b), "hello");
	cr_assert_eq(fstatat(s.fd, "f", &st, 0), 0);
	cr_assert_eq(st.st_mode & 07777, 0640);
	cr_assert_eq(write_one(l, s.fd, "t", "f", "other", 5, true), 0);
	cr_assert_eq(write_one(l, s.fd, "t", "empty", "", 0, true), 0);
	cr_assert_eq(fstatat(s.fd, "empty", &st, 0), 0);
	cr_assert_eq(st.st_size, 0);
	cr_assert_not(there(&s, "t"));

	/* one that is there is neither written nor removed */
	cr_assert_eq(file_replace(s.fd, "t", "mine", 4, 0600), 0);
	cr_assert_eq(write_one(l, s.fd, "t", "g", "x", 1, false), -EEXIST);
	cr_assert(there(&s, "t"));
	cr_assert_not(there(&s, "g"));
	cr_assert_eq(write_one(l, s.fd, "none/t", "g", "x", 1, false), -ENOENT);

	/* the last step fails: the temporary goes */
	cr_assert_eq(mkdirat(s.fd, "d", 0700), 0);
	cr_assert_eq(write_one(l, s.fd, "u", "d", "x", 1, false), -EISDIR);
	cr_assert_not(there(&s, "u"));
}

BOTH(a_write_that_does_not_fit_leaves_nothing)
{
	_cleanup_(scratch_done) struct scratch s = scratch_new();
	struct rlimit limit = { 4096, RLIM_INFINITY };
	static char bytes[16384];

	signal(SIGXFSZ, SIG_IGN);
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	cr_assert_eq(write_one(l, s.fd, "t", "f", bytes, sizeof(bytes), false), -EFBIG);
	cr_assert_not(there(&s, "t"));
	cr_assert_not(there(&s, "f"));
}

BOTH(hundreds_of_files)
{
	enum { N = 200 };
	_cleanup_(scratch_done) struct scratch s = scratch_new();
	struct write_seen w = { 0 };
	size_t len = 100000;
	char *bytes = malloc(len), name[32], temporary[32];
	_cleanup_buf_ struct buf b = BUF_INIT;

	memset(bytes, 'x', len);
	for (int i = 0; i < N; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		snprintf(temporary, sizeof(temporary), "t%d", i);
		cr_assert_eq(loop_write_file(l, s.fd, temporary, name, bytes, len - (size_t)i, 0600,
				     false, on_written, &w), 0);
	}
	while (w.n < N) {
		cr_assert_eq(loop_step(l, -1), 0);
		cr_assert_eq(w.result, 0);
	}
	for (int i = 0; i < N; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		cr_assert_eq(file_slurp(s.fd, name, &b, len), 0);
		cr_assert_eq(b.len, len - (size_t)i);
	}
	free(bytes);
}

Test(uring, freeing_the_loop_waits_for_what_uses_the_bytes, .timeout = 30)
{
	struct loop *l = make(LOOP_URING);
	_cleanup_(scratch_done) struct scratch s = scratch_new();
	struct write_seen w = { 0 };
	size_t len = 1 << 20;
	char *bytes = malloc(len), temporary[32];

	memset(bytes, 'x', len);
	for (int i = 0; i < 40; i++) {
		snprintf(temporary, sizeof(temporary), "t%d", i);
		cr_assert_eq(loop_write_file(l, s.fd, temporary, "f", bytes, len, 0600, false,
				     on_written, &w), 0);
	}
	loop_free(l);
	free(bytes);
	cr_assert_eq(w.n, 0);
	for (int i = 0; i < 40; i++) {
		snprintf(temporary, sizeof(temporary), "t%d", i);
		cr_assert_not(there(&s, temporary));
	}
}

/* Where the host refuses io_uring */

static void forbid_uring(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { ARRAY_SIZE(code), code };

	cr_assert_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	cr_assert_eq(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

Test(refused, falls_back_to_plain_calls)
{
	_cleanup_diag_ struct diag d = DIAG_INIT;
	struct seen s = { 0 };
	struct loop *l;

	forbid_uring();
	cr_assert_eq(loop_new(&l, LOOP_URING, &d), -EPERM);
	cr_assert_not_null(strstr(buf_text(&d.what), "io_uring"));
	cr_assert_eq(loop_new(&l, LOOP_ANY, NULL), 0);
	loop_timer(l, 1, on_a, &s);
	while (!s.n)
		cr_assert_eq(loop_step(l, -1), 0);
	loop_free(l);
}
