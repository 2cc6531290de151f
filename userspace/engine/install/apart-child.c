// SPDX-License-Identifier: GPL-2.0-or-later
/* The side that is jailed. */
#include "engine/install/apart.h"

#include "base/fd.h"
#include "cratons/wire/apart.h"
#include "engine/install/install-priv.h"
#include "prim/err.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/uio.h>

#define PROGRESS_EVERY_MS 20

struct telling {
	int fd;
	struct install_progress last;
	bool unsaid;		/* `last` was not sent yet */
	int64_t said;		/* when one was */
};

/* A caller that is gone cannot be told; this process is about to be killed. */
static void send_frame(int fd, enum apart_kind kind, const struct iovec *parts, int n)
{
	struct apart_head head = { .kind = kind };
	int r = 0;

	for (int p = 0; p < n; p++)
		head.length += (uint32_t)parts[p].iov_len;
	r = fd_write_all(fd, &head, sizeof(head));
	for (int p = 0; p < n && r == 0; p++)
		r = fd_write_all(fd, parts[p].iov_base, parts[p].iov_len);
	if (r < 0)
		_exit(1);
}

static struct iovec part(const void *bytes, size_t n)
{
	return (struct iovec){ (void *)(uintptr_t)bytes, n };
}

static struct iovec line(const char *text)
{
	return part(text, text ? strnlen(text, APART_LINE_MAX) : 0);
}

static void say_progress(struct telling *t)
{
	const struct install_progress *p = &t->last;
	struct apart_progress a = { .phase = p->phase, .done = p->done, .total = p->total,
		.bytes = p->bytes };

	if (t->unsaid)
		send_frame(t->fd, APART_PROGRESS, (struct iovec[]){ part(&a, sizeof(a)),
			line(p->waiting_for) }, 2);
	t->unsaid = false;
}

/* The loop turns thousands of times a second; nobody can see that. */
static void on_progress(void *data, const struct install_progress *p)
{
	struct telling *t = data;
	int64_t now = installation_now();

	if (t->unsaid && t->last.phase != p->phase)
		say_progress(t);
	t->last = *p;
	t->unsaid = true;
	if (now - t->said >= PROGRESS_EVERY_MS || now < t->said) {
		say_progress(t);
		t->said = now;
	}
	t->last.waiting_for = NULL;	/* borrowed for the call */
}

static void on_warn(void *data, const char *text)
{
	struct telling *t = data;
	struct iovec text_part = line(text);

	send_frame(t->fd, APART_WARN, &text_part, 1);
}

static void on_detail(void *data, const char *text)
{
	struct telling *t = data;
	struct iovec text_part = line(text);

	send_frame(t->fd, APART_DETAIL, &text_part, 1);
}

static void say_result(struct telling *t, const struct installation *i, int code,
	const struct diag *d, const struct buf *text)
{
	struct iovec parts[] = { { 0 }, line(buf_text(&d->what)), line(buf_text(&d->where)),
		line(buf_text(&d->hint)), part(text->data, code < 0 ? 0 : text->len) };
	struct apart_result a = { .code = code, .fetched = i->result.fetched,
		.bytes = i->result.bytes };

	if (d->code == 0)
		parts[1].iov_len = parts[2].iov_len = parts[3].iov_len = 0;
	a.what = (uint32_t)parts[1].iov_len;
	a.where = (uint32_t)parts[2].iov_len;
	a.hint = (uint32_t)parts[3].iov_len;
	a.text = (uint32_t)parts[4].iov_len;
	parts[0] = part(&a, sizeof(a));
	say_progress(t);
	send_frame(t->fd, APART_RESULT, parts, ARRAY_SIZE(parts));
}

static int by_number(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/* The caller's terminal, its session with the store and what it had open itself are not for here. A
 * sanitizer's report is, where there is one. */
static int close_all_but(int *fds, int n)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), from = 3;

	for (int to = 0; to < from; to++) {
#ifdef __SANITIZE_ADDRESS__
		if (to == 2)
			continue;
#endif
		if (null < 0 || dup2(null, to) < 0)
			return -errno;
	}
	if (null >= from)
		close(null);
	qsort(fds, (size_t)n, sizeof(*fds), by_number);
	for (int f = 0; f < n; f++) {
		if (fds[f] > from)
			close_range((unsigned)from, (unsigned)fds[f] - 1, 0);
		from = MAX(fds[f] + 1, from);
	}
	close_range((unsigned)from, ~0u, 0);
	return 0;
}

/* A terminal's signals are the caller's to act on: this process ends with it. */
static int settle(struct installation *i, int fd, pid_t parent)
{
	static const int signals[] = { SIGINT, SIGQUIT, SIGHUP, SIGPIPE };
	const struct project *settings = i->options->settings ? i->options->settings : i->project;
	int keep[] = { fd, i->project->fd, i->project->home_fd, settings->fd };

	for (size_t s = 0; s < ARRAY_SIZE(signals); s++)
		signal(signals[s], SIG_IGN);
	signal(SIGTERM, SIG_DFL);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
		return -ESRCH;
	return close_all_but(keep, ARRAY_SIZE(keep));
}

static int work(struct installation *i, apart_fn fn, void *data, struct buf *ret)
{
	int r;

	/* The caller's session stays the caller's: LMDB takes no use of it after a fork. */
	i->writer = NULL;
	r = cas_writer_open(&i->writer, i->project->home_fd, i->diag);
	if (r == 0)
		r = installation_go_online(i);
	if (r == 0)
		r = fn(i, data, ret);
	if (r == 0)
		r = cas_writer_flush(i->writer, i->diag);
	if (r == 0 && ret->len > APART_TEXT_MAX)
		r = diag_fail(i->diag, -ERR_LIMIT, "the result is larger than %d MiB",
			APART_TEXT_MAX >> 20);
	return r;
}

void apart_child(struct installation *i, int fd, pid_t parent, apart_fn fn, void *data)
{
	const struct install_options *asked = i->options;
	struct install_options mine = *asked;
	struct telling t = { .fd = fd };
	struct buf text = BUF_INIT;
	struct diag d = DIAG_INIT;
	char nothing;
	int r;

	mine.progress = asked->progress ? on_progress : NULL;
	mine.warn = asked->warn ? on_warn : NULL;
	mine.detail = asked->detail ? on_detail : NULL;
	mine.data = &t;
	i->options = &mine;
	i->diag = &d;
	r = settle(i, fd, parent);
	if (r == 0)
		r = work(i, fn, data, &text);
	say_result(&t, i, r, &d, &text);
	/* What was put is pinned by this session until the caller has pinned it with its own. */
	while (read(fd, &nothing, 1) < 0 && errno == EINTR)
		;
	/* A last file written by the loop may end a worker's job, and that uses what else there is: none of
	 * it is freed, for the process ends. */
	store_io_stop(i->store_io);
	pool_free(i->pool);
	cas_writer_free(i->writer);
	_exit(0);
}
