// SPDX-License-Identifier: GPL-2.0-or-later
/* The caller's side: it trusts the process for nothing but progress and words. */
#include "engine/install/apart.h"

#include "base/fd.h"
#include "cratons/wire/apart.h"
#include "engine/install/install-priv.h"
#include "prim/err.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define END_MS 10000

struct listening {
	struct installation *i;
	unsigned talk;
	struct buf body;	/* of the frame at hand */
	struct buf *text;	/* of the result */
	int code;		/* likewise */
};

static size_t kind_max(uint32_t kind)
{
	switch (kind) {
	case APART_PROGRESS:
		return sizeof(struct apart_progress) + APART_LINE_MAX;
	case APART_WARN:
	case APART_DETAIL:
		return APART_LINE_MAX;
	case APART_RESULT:
		return APART_RESULT_MAX;
	default:
		return 0;
	}
}

static int take_progress(struct listening *l)
{
	const struct install_options *o = l->i->options;
	struct apart_progress p;
	const char *waiting = l->body.data + sizeof(p);

	if (l->body.len < sizeof(p))
		return -EBADMSG;
	memcpy(&p, l->body.data, sizeof(p));
	if (p.phase > INSTALL_COMPOSE || p.reserved)
		return -EBADMSG;
	if (o->progress)
		o->progress(o->data, &(struct install_progress){ .phase = p.phase, .done = p.done,
			.total = p.total, .bytes = p.bytes, .waiting_for = *waiting ? waiting : NULL });
	return 0;
}

static int take_talk(struct listening *l, void (*tell)(void *data, const char *text))
{
	if (++l->talk > APART_TALK_MAX)
		return -EBADMSG;
	if (tell)
		tell(l->i->options->data, buf_text(&l->body));
	return 0;
}

static bool is_code(int32_t code)
{
	return code <= 0 && (code > -ERR_FIRST || (code < -ERR_FIRST && code > -ERR_LAST));
}

/* 1: that was the last frame. */
static int take_result(struct listening *l)
{
	struct diag *d = l->i->diag;
	struct apart_result a;
	struct str rest = buf_str(&l->body), parts[4];

	if (rest.n < sizeof(a))
		return -EBADMSG;
	memcpy(&a, rest.p, sizeof(a));
	rest = str_slice(rest, sizeof(a), rest.n);
	if (!is_code(a.code) || rest.n != (uint64_t)a.what + a.where + a.hint + a.text)
		return -EBADMSG;
	for (size_t p = 0; p < ARRAY_SIZE(parts); p++) {
		size_t n = (const uint32_t[]){ a.what, a.where, a.hint, a.text }[p];

		parts[p] = str_slice(rest, 0, n);
		rest = str_slice(rest, n, rest.n);
	}
	l->i->result.fetched = a.fetched;
	l->i->result.bytes = a.bytes;
	l->code = a.code;
	if (a.code == 0)
		return buf_addstr(l->text, parts[3]) < 0 ? -ENOMEM : 1;
	/* Without words, the name of the step is what install() tells. */
	if (parts[0].n)
		diag_fail(d, a.code, "%.*s", STR_ARG(parts[0]));
	if (parts[0].n && parts[1].n)
		diag_where(d, "%.*s", STR_ARG(parts[1]));
	if (parts[0].n && parts[2].n)
		diag_hint(d, "%.*s", STR_ARG(parts[2]));
	return 1;
}

static int take_frame(struct listening *l, uint32_t kind)
{
	const struct install_options *o = l->i->options;

	switch (kind) {
	case APART_PROGRESS:
		return take_progress(l);
	case APART_WARN:
		return take_talk(l, o->warn);
	case APART_DETAIL:
		return take_talk(l, o->detail);
	default:
		return take_result(l);
	}
}

/* Until the result, the first nonsense, or the end: -EBADMSG for the second, -EIO for the third. */
static int listen_to(struct listening *l, int fd)
{
	struct apart_head head;
	int r;

	do {
		r = fd_read_all(fd, &head, sizeof(head));
		if (r < 0)
			return -EIO;
		if (head.length > kind_max(head.kind))
			return -EBADMSG;
		buf_reset(&l->body);
		r = buf_reserve(&l->body, head.length + 1);
		if (r < 0)
			return r;
		if (fd_read_all(fd, l->body.data, head.length) < 0)
			return -EIO;
		l->body.len = head.length;
		l->body.data[head.length] = '\0';
		r = take_frame(l, head.kind);
	} while (r == 0);
	return MIN(r, 0);
}

/* It has nothing left to do but to put its session away. Whoever took it over could stay instead. */
static int wait_for(pid_t pid)
{
	_cleanup_fd_ int fd = pidfd_open(pid, 0);
	struct pollfd p = { fd, POLLIN };
	int status = 0, r;

	do
		r = fd < 0 ? 1 : poll(&p, 1, END_MS);
	while (r < 0 && errno == EINTR);
	if (r == 0)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return 0;
	return status;
}

void apart_let_go(struct apart *a)
{
	if (a->pid > 0)
		fd_closep(&a->fd);
}

void apart_end(struct apart *a)
{
	if (a->pid == 0)
		return;
	apart_let_go(a);
	wait_for(a->pid);
	*a = (struct apart){ 0 };
}

/* The process died, or speaks what it should not: either way it is not listened to any more. */
static int lost(struct installation *i, int why)
{
	int status;

	if (why != -EIO)
		kill(i->apart.pid, SIGKILL);
	close(i->apart.fd);
	status = wait_for(i->apart.pid);
	i->apart = (struct apart){ 0 };
	if (why == -EBADMSG)
		diag_fail(i->diag, -ERR_INSTALL, "the process that talks to the registries gave an "
			"answer that makes no sense, and was ended");
	else if (why != -EIO)
		return diag_errno(i->diag, why, "listening to the process that talks to registries");
	else if (WIFSIGNALED(status))
		diag_fail(i->diag, -ERR_INSTALL, "the process that talks to the registries was ended "
			"by signal %d", WTERMSIG(status));
	else
		diag_fail(i->diag, -ERR_INSTALL, "the process that talks to the registries ended "
			"with status %d and without an answer", WEXITSTATUS(status));
	return diag_hint(i->diag, "what was put into the store is kept; try again, and if it happens "
		"again, report it");
}

int apart_run(struct installation *i, apart_fn fn, void *data, struct buf *ret)
{
	struct listening l = { .i = i, .text = ret, .body = { .max = APART_RESULT_MAX + 1 } };
	pid_t parent = getpid();
	int ends[2], r;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return diag_errno(i->diag, -errno, "starting the process that talks to registries");
	i->apart.pid = fork();
	if (i->apart.pid == 0)
		apart_child(i, ends[1], parent, fn, data);
	close(ends[1]);
	i->apart.fd = ends[0];
	if (i->apart.pid < 0) {
		r = diag_errno(i->diag, -errno, "starting the process that talks to registries");
		close(ends[0]);
		i->apart = (struct apart){ 0 };
		return r;
	}
	r = listen_to(&l, ends[0]);
	buf_done(&l.body);
	return r < 0 ? lost(i, r) : l.code;
}
