// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The supervisor: one poll loop between the container's init, the caller's signals, and either the
 * terminal or the captured output. It ends when init has ended, with which the kernel has ended all
 * that ran inside; init ends when the command does, when this process dies, or by our hand.
 */
#include "engine/sandbox/sandbox-priv.h"

#include "prim/err.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

enum { P_CONTROL, P_INIT, P_SIGNALS, P_OUTPUT, P_MASTER, P_STDIN, P_STDOUT, P_STREAMS, P_ALARMS = P_STREAMS + 2 };

#define QUIET_MS 100

struct supervisor {
	struct plan *p;
	struct diag *d;
	struct sandbox_result *result;
	int pidfd, master;
	int out;		/* where the terminal's output goes */
	bool raw, started, exited, stdin_ended;
	bool stopping;		/* this process was told to stop, and passed that on */
	int error;		/* why there was no command */
	int64_t deadline;	/* ms, or 0 */
	int64_t quiet;		/* when short beginnings of secrets are let out: ms, or 0 */
	struct copy in, back;
	struct copy streams[2];
	uint64_t written;	/* of all output that passes, but for what is captured */
};

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void tell(struct supervisor *v, enum init_kind kind, int value)
{
	struct init_frame f = { .kind = kind, .value = value };

	send(v->p->control[0], &f, sizeof(f), MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void end_it(struct supervisor *v, const char *why)
{
	if (!v->result->ended_by)
		v->result->ended_by = why;
	pidfd_send_signal(v->pidfd, SIGKILL, NULL, 0);
}

static void set_raw(struct supervisor *v, bool on)
{
	if (on == v->raw || !v->p->terminal.is[0])
		return;
	v->raw = on;
	if (on)
		terminal_raw(&v->p->terminal);
	else
		terminal_restore(&v->p->terminal);
}

static void pass_window_size(struct supervisor *v)
{
	struct winsize size;

	if (v->master >= 0 && ioctl(v->out, TIOCGWINSZ, &size) == 0)
		ioctl(v->master, TIOCSWINSZ, &size);
}

/* The container's time goes on while this process is stopped: what else runs in it is not. */
static bool wake_at(int64_t deadline, timer_t *ret)
{
	struct sigevent e = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGCONT };
	struct itimerspec at = { .it_value = { deadline / 1000, deadline % 1000 * 1000000 } };

	if (!deadline || timer_create(CLOCK_MONOTONIC, &e, ret) < 0)
		return false;
	timer_settime(*ret, TIMER_ABSTIME, &at, NULL);
	return true;
}

/*
 * Stops this process and those beside it in the caller's pipeline, as the terminal would have. In an
 * orphaned process group nobody could continue it: there the kernel drops the signal, and the
 * command goes on at once.
 */
static void stop_self(const struct supervisor *v)
{
	struct sigaction sa = { .sa_handler = SIG_DFL }, old;
	timer_t alarm_clock;
	bool limited = wake_at(v->deadline, &alarm_clock);
	sigset_t only, mask;

	sigemptyset(&only);
	sigaddset(&only, SIGTSTP);
	sigaction(SIGTSTP, &sa, &old);
	kill(0, SIGTSTP);
	pthread_sigmask(SIG_UNBLOCK, &only, &mask);
	pthread_sigmask(SIG_SETMASK, &mask, NULL);
	sigaction(SIGTSTP, &old, NULL);
	if (limited)
		timer_delete(alarm_clock);
}

static void command_stopped(struct supervisor *v, int sig)
{
	const struct terminal *t = &v->p->terminal;
	bool foreground;

	if (v->p->s->stdio == SANDBOX_STDIO_CAPTURE)
		return;
	if (t->wanted && (sig == SIGTTIN || sig == SIGTTOU)) {
		set_raw(v, true);
		tell(v, INIT_CONTINUE, 1);
		return;
	}
	/* Without a terminal nobody typed ^Z inside: that the command halts is no reason to halt the caller. */
	if (!t->wanted && !v->stopping) {
		tell(v, INIT_CONTINUE, 0);
		return;
	}
	v->stopping = false;
	foreground = v->raw;
	set_raw(v, false);
	stop_self(v);
	set_raw(v, foreground && terminal_is_ours(t));
	pass_window_size(v);
	tell(v, INIT_CONTINUE, foreground);
}

static void take_master(struct supervisor *v, int *fd)
{
	if (*fd < 0 || v->master >= 0)
		return;
	v->master = TAKE_FD(*fd);
	fcntl(v->master, F_SETFL, O_RDWR | O_NONBLOCK);
	if (!v->p->terminal.lazy)
		set_raw(v, true);
}

/* Init is one of the container's processes: its numbers are taken for errors when they can be. */
static int error_of(const struct init_frame *f)
{
	return f->value > 0 && f->value < 4096 ? f->value : EPROTO;
}

static void heard(struct supervisor *v, const struct init_frame *f, int *fd)
{
	switch (f->kind) {
	case INIT_TTY:
		take_master(v, fd);
		break;
	case INIT_REFUSED:
		v->error = sandbox_refused(f, v->d);
		break;
	case INIT_NO_COMMAND:
		v->error = diag_fail(v->d, -error_of(f), "cannot run '%s': %s", v->p->s->argv[0],
			strerror(error_of(f)));
		break;
	case INIT_STARTED:
		v->started = true;
		if (v->p->s->started)
			v->p->s->started(v->p->s->started_data);
		break;
	case INIT_STOPPED:
		command_stopped(v, f->value);
		break;
	case INIT_EXITED:
		v->exited = true;
		v->result->status = f->value;
		break;
	}
}

/* The descriptor that came along, or -1. */
static int attached(struct msghdr *m)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(m);
	int fd = -1;

	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS && c->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

/* One frame; false when there is none now, or will be none any more. */
static bool listen_once(struct supervisor *v, struct pollfd *fd)
{
	struct init_frame f;
	struct iovec part = { &f, sizeof(f) };
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control,
		.msg_controllen = CMSG_LEN(sizeof(int)) };
	ssize_t n = recvmsg(v->p->control[0], &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	_cleanup_fd_ int came = n >= 0 ? attached(&m) : -1;

	if (n == sizeof(f)) {
		heard(v, &f, &came);
		return true;
	}
	/* Init left without reading all that it was told; what it said last is still in the queue. */
	if (n < 0 && errno == ECONNRESET)
		return true;
	if (n >= 0 || (errno != EAGAIN && errno != EINTR))
		fd->fd = -1;
	return false;
}

/* As the kernel does for a terminal that goes away: what is stopped must wake to hear of it. */
static void hang_up(struct supervisor *v)
{
	tell(v, INIT_SIGNAL, SIGHUP);
	tell(v, INIT_CONTINUE, 0);
}

static void take_signal(struct supervisor *v)
{
	struct signalfd_siginfo info;

	if (read(v->p->signals, &info, sizeof(info)) != sizeof(info))
		return;
	v->stopping |= info.ssi_signo == SIGTSTP;
	if (info.ssi_signo == SIGWINCH)
		pass_window_size(v);
	else if (info.ssi_signo == SIGHUP)
		hang_up(v);
	else if (info.ssi_signo != SIGCONT)
		tell(v, INIT_SIGNAL, (int)info.ssi_signo);
	else if (v->master >= 0 && !v->p->terminal.lazy && terminal_is_ours(&v->p->terminal)) {
		v->raw = false;
		set_raw(v, true);
		pass_window_size(v);
	}
}

/* Captured output past the limit is dropped and ends the container. False at its end. */
static bool take_output(struct supervisor *v)
{
	uint64_t max = v->p->s->limits.output_max;
	char data[COPY_SIZE];
	ssize_t n = read(v->p->output, data, sizeof(data));
	size_t room = max ? max - MIN(max, v->result->output.len) : SIZE_MAX;

	if (n < 0)
		return errno == EINTR;
	if (n == 0)
		return false;
	if (buf_add(&v->result->output, data, MIN((size_t)n, room)) < 0 || (size_t)n > room)
		end_it(v, "output");
	return true;
}

/* Ends the container when it has written more than it may; what is too much is dropped. */
static void count_output(struct supervisor *v, struct copy *c)
{
	uint64_t max = v->p->s->limits.output_max;

	if (!max || v->p->s->stdio != SANDBOX_STDIO_STREAMS)
		return;
	if (c->left > max - v->written) {
		c->left = (size_t)(max - v->written);
		end_it(v, "output");
	}
	v->written += c->left;
}

static void mask_output(struct supervisor *v, struct copy *c)
{
	if (!v->p->mask)
		return;
	copy_mask(c);
	if (!v->quiet && mask_waits(&c->mask))
		v->quiet = now_ms() + QUIET_MS;
}

/* To who takes the streams, if anybody does; else it is left to be written. */
static void hand_out(struct supervisor *v, int i)
{
	struct copy *c = &v->streams[i];

	if (!v->p->s->stream || copy_empty(c))
		return;
	v->p->s->stream(v->p->s->stream_data, i + 1, c->at, c->left);
	c->left = 0;
}

static void end_stream(struct supervisor *v, int i)
{
	fd_closep(&v->p->streams[i]);
	copy_mask_end(&v->streams[i]);
	hand_out(v, i);
}

/* As copy_read. */
static int read_stream(struct supervisor *v, int i)
{
	struct copy *c = &v->streams[i];
	int r = copy_read(c, v->p->streams[i]);

	if (r <= 0)
		return r;
	count_output(v, c);
	mask_output(v, c);
	hand_out(v, i);
	return r;
}

/* A stream is either read or, while something of it is left, written. Where nobody reads on any more
 * the command is to see that too. */
static void copy_streams(struct supervisor *v, const struct pollfd *f)
{
	for (int i = 0; i < 2; i++) {
		if (f[i].fd < 0 || !f[i].revents)
			continue;
		if (copy_empty(&v->streams[i]) ? read_stream(v, i) < 0 :
				!copy_write(&v->streams[i], i + 1))
			end_stream(v, i);
	}
}

static void set_streams(const struct supervisor *v, struct pollfd *f)
{
	for (int i = 0; i < 2; i++) {
		bool empty = copy_empty(&v->streams[i]);

		f[i].fd = !empty ? i + 1 : v->p->streams[i];
		f[i].events = empty ? POLLIN : POLLOUT;
	}
}

/* What is left when all that wrote have ended. */
static void drain_streams(struct supervisor *v)
{
	for (int i = 0; i < 2; i++) {
		struct copy *c = &v->streams[i];

		if (v->p->streams[i] >= 0)
			fcntl(v->p->streams[i], F_SETFL, O_NONBLOCK);
		while (copy_flush(c, i + 1) && v->p->streams[i] >= 0 && read_stream(v, i) > 0)
			;
		end_stream(v, i);
		copy_flush(c, i + 1);
	}
}

static void set_polls(struct supervisor *v, struct pollfd *f)
{
	bool stdin_wanted = v->raw && copy_empty(&v->in) && !v->stdin_ended;

	f[P_MASTER].fd = v->master;
	f[P_MASTER].events = (short)((copy_empty(&v->back) ? POLLIN : 0) |
		(copy_empty(&v->in) ? 0 : POLLOUT));
	if (!f[P_MASTER].events)
		f[P_MASTER].fd = -1;
	f[P_STDIN].fd = v->master >= 0 && stdin_wanted ? 0 : -1;
	f[P_STDOUT].fd = v->master >= 0 && !copy_empty(&v->back) ? v->out : -1;
}

/* As copy_read. */
static int read_master(struct supervisor *v)
{
	int r = copy_read(&v->back, v->master);

	if (r < 0)
		fd_closep(&v->master);
	if (r > 0) {
		count_output(v, &v->back);
		mask_output(v, &v->back);
	}
	return r;
}

static void copy_terminal(struct supervisor *v, const struct pollfd *f)
{
	if (f[P_STDOUT].fd >= 0 && f[P_STDOUT].revents)
		copy_write(&v->back, v->out);
	if (f[P_STDIN].fd >= 0 && f[P_STDIN].revents && copy_read(&v->in, 0) < 0) {
		v->stdin_ended = true;
		hang_up(v);
	}
	if (f[P_MASTER].fd < 0 || !f[P_MASTER].revents)
		return;
	if (!copy_empty(&v->in))
		copy_write(&v->in, v->master);
	if (!copy_empty(&v->back))
		return;
	read_master(v);
}

static void drain_terminal(struct supervisor *v)
{
	do
		copy_flush(&v->back, v->out);
	while (v->master >= 0 && read_master(v) > 0);
	copy_mask_end(&v->back);
	copy_flush(&v->back, v->out);
}

/* A program that waits for an answer has its question seen, whatever that ends with. Where earlier output
 * is still to be written it is tried again. */
static void let_out(struct supervisor *v)
{
	struct copy *all[] = { &v->back, &v->streams[0], &v->streams[1] };

	v->quiet = 0;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		if (copy_empty(all[i]))
			copy_mask_idle(all[i]);
		else
			v->quiet = now_ms() + QUIET_MS;
	}
	hand_out(v, 0);
	hand_out(v, 1);
}

static int time_left(struct supervisor *v)
{
	int64_t now = v->deadline || v->quiet ? now_ms() : 0, left = INT_MAX;

	if (v->quiet && v->quiet <= now)
		let_out(v);
	if (v->deadline && v->deadline <= now) {
		v->deadline = 0;
		end_it(v, "time");
	}
	if (v->quiet)
		left = v->quiet - now;
	if (v->deadline)
		left = MIN(left, v->deadline - now);
	return left == INT_MAX ? -1 : (int)left;
}

static void set_alarms(const struct sandbox *s, struct pollfd *f)
{
	for (size_t i = 0; i < s->nalarms; i++)
		f[i] = (struct pollfd){ s->alarms[i].fd, s->alarms[i].events };
}

static void hear_alarms(struct supervisor *v, struct pollfd *f)
{
	const struct sandbox *s = v->p->s;

	for (size_t i = 0; i < s->nalarms; i++) {
		bool silence = false;
		const char *why = f[i].fd >= 0 && f[i].revents ?
			s->alarms[i].rang(s->alarms[i].data, &silence) : NULL;

		if (why)
			end_it(v, why);
		if (silence)
			f[i].fd = -1;
	}
}

/* Until init has ended; what it last said and what was last written is then still to be read.
 * Without a pidfd it has ended already: where SIGCHLD is ignored there is not even a zombie of it. */
static void watch(struct supervisor *v)
{
	nfds_t count = P_ALARMS + v->p->s->nalarms;
	struct pollfd f[P_ALARMS + SANDBOX_ALARMS_MAX] = { [P_CONTROL] = { v->p->control[0], POLLIN },
		[P_INIT] = { v->pidfd, POLLIN }, [P_SIGNALS] = { v->p->signals, POLLIN },
		[P_OUTPUT] = { v->p->output, POLLIN }, [P_STDIN] = { -1, POLLIN },
		[P_STDOUT] = { -1, POLLOUT } };

	set_alarms(v->p->s, f + P_ALARMS);
	while (v->pidfd >= 0 && !(f[P_INIT].revents & POLLIN)) {
		int timeout = time_left(v);

		set_polls(v, f);
		set_streams(v, f + P_STREAMS);
		if (poll(f, count, timeout) < 0)
			continue;
		if (f[P_CONTROL].revents)
			listen_once(v, &f[P_CONTROL]);
		if (f[P_SIGNALS].revents)
			take_signal(v);
		if (f[P_OUTPUT].revents && !take_output(v))
			f[P_OUTPUT].fd = -1;
		hear_alarms(v, f + P_ALARMS);
		copy_terminal(v, f);
		copy_streams(v, f + P_STREAMS);
	}
	while (f[P_CONTROL].fd >= 0 && listen_once(v, &f[P_CONTROL]))
		;
	if (v->p->output >= 0)
		fcntl(v->p->output, F_SETFL, O_NONBLOCK);
	while (v->p->output >= 0 && !v->result->ended_by && take_output(v))
		;
	drain_streams(v);
	drain_terminal(v);
}

static int finish(struct supervisor *v, pid_t pid)
{
	int status = 0;

	if (waitpid(pid, &status, 0) < 0)
		status = 0;
	if (v->error)
		return v->error;
	if (!v->exited)
		v->result->status = status;
	if (v->exited || v->started || v->result->ended_by)
		return 0;
	return diag_fail(v->d, -ERR_CONTAINER, "the container ended before its command began (%s %d)",
		WIFSIGNALED(status) ? "signal" : "status",
		WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
}

static int give_up(pid_t pid, int error, struct diag *d)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return diag_errno(d, error, "cannot watch the container");
}

int sandbox_supervise(struct plan *p, pid_t pid, struct sandbox_result *ret, struct diag *d)
{
	struct supervisor v = { .p = p, .d = d, .result = ret, .master = -1,
		.pidfd = pidfd_open(pid, 0) };
	int r;

	if (v.pidfd < 0 && errno != ESRCH)
		return give_up(pid, -errno, d);
	r = p->s->born ? p->s->born(p->s->born_data, pid, v.pidfd, d) : 0;
	if (r < 0) {
		v.error = r;
		end_it(&v, NULL);
	}
	v.back.mask.mask = v.streams[0].mask.mask = v.streams[1].mask.mask = p->mask;
	v.out = p->terminal.is[1] ? 1 : p->terminal.is[2] ? 2 : 0;
	v.deadline = p->s->limits.seconds ? now_ms() + p->s->limits.seconds * 1000LL : 0;
	watch(&v);
	set_raw(&v, false);
	r = finish(&v, pid);
	fd_closep(&v.pidfd);
	fd_closep(&v.master);
	copy_done(&v.in);
	copy_done(&v.back);
	copy_done(&v.streams[0]);
	copy_done(&v.streams[1]);
	return r;
}
