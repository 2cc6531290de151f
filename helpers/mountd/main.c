// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * cratons-mountd [--idle SECONDS]
 *
 * Makes and takes away the mounts of `cratons mount` for users of this host who may not mount. Started
 * by systemd, which hands in the listening socket (sd_listen_fds(3)); goes when it was idle for a
 * while, as every mount is held by its user's own server.
 */
#include "mountd.h"

#include "base/fd.h"
#include "prim/err.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define LISTENER 3	/* SD_LISTEN_FDS_START */
#define NOBODY	 ((uid_t)-1)

struct service {
	int idle_ms;
	int signals;		/* signalfd: a child ended, or we are to end */
	sigset_t mask;		/* what it takes */
	struct child {
		pid_t pid;
		uid_t uid;	/* NOBODY: the connection went before it was taken */
	} children[CHILDREN_MAX];
	size_t n;
};

static bool is_number(const char *name, uint64_t wanted)
{
	const char *text = getenv(name);
	uint64_t n;

	return text && str_u64(str_from(text), &n) == 0 && n == wanted;
}

static bool is_option(int option, int wanted)
{
	int value;
	socklen_t len = sizeof(value);

	return getsockopt(LISTENER, SOL_SOCKET, option, &value, &len) == 0 && value == wanted;
}

static int take_listener(struct diag *d)
{
	if (!is_number("LISTEN_PID", (uint64_t)getpid()) || !is_number("LISTEN_FDS", 1)) {
		diag_fail(d, -ERR_USAGE, "no socket was handed in");
		return diag_hint(d, "systemd starts this program: systemctl enable --now cratons-mountd.socket");
	}
	if (!is_option(SO_DOMAIN, AF_UNIX) || !is_option(SO_TYPE, SOCK_SEQPACKET) ||
		!is_option(SO_ACCEPTCONN, 1))
		return diag_fail(d, -ERR_USAGE, "what was handed in is not a listening SOCK_SEQPACKET socket");
	/* A connection may be gone before it is taken. */
	if (fcntl(LISTENER, F_SETFD, FD_CLOEXEC) < 0 || fcntl(LISTENER, F_SETFL, O_RDWR | O_NONBLOCK) < 0)
		return diag_errno(d, -errno, "cannot use the socket");
	return 0;
}

static int take_signals(struct service *s, struct diag *d)
{
	sigemptyset(&s->mask);
	sigaddset(&s->mask, SIGCHLD);
	sigaddset(&s->mask, SIGTERM);
	sigaddset(&s->mask, SIGINT);
	if (sigprocmask(SIG_BLOCK, &s->mask, NULL) < 0)
		return diag_errno(d, -errno, "cannot block signals");
	s->signals = signalfd(-1, &s->mask, SFD_CLOEXEC | SFD_NONBLOCK);
	return s->signals < 0 ? diag_errno(d, -errno, "cannot take signals") : 0;
}

static size_t children_of(const struct service *s, uid_t uid)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++)
		n += s->children[i].uid == uid;
	return n;
}

/* The child: takes one connection, tells whose it is, answers one request. */
static void serve_one(const struct service *s, int report)
{
	struct peer p = { .connection = accept4(LISTENER, NULL, NULL, SOCK_CLOEXEC) };
	struct ucred who;
	socklen_t len = sizeof(who);

	alarm(REQUEST_SECONDS);
	sigprocmask(SIG_UNBLOCK, &s->mask, NULL);
	if (p.connection < 0 || getsockopt(p.connection, SOL_SOCKET, SO_PEERCRED, &who, &len) < 0)
		return;
	p.uid = who.uid;
	p.gid = who.gid;
	p.pid = who.pid;
	if (fd_write_all(report, &p.uid, sizeof(p.uid)) < 0)
		return;
	close(report);
	mountd_serve(&p, children_of(s, p.uid) >= USER_CHILDREN_MAX);
}

/* Waits until the child has taken its connection, so that the same one is not seen again. */
static int start_child(struct service *s)
{
	_cleanup_fd_ int ours = -1, theirs = -1;
	struct child c = { .uid = NOBODY };
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	ours = ends[0];
	theirs = ends[1];
	c.pid = fork();
	if (c.pid < 0)
		return -errno;
	if (c.pid == 0) {
		fd_closep(&ours);
		serve_one(s, theirs);
		_exit(0);
	}
	fd_closep(&theirs);
	if (fd_read_all(ours, &c.uid, sizeof(c.uid)) < 0)
		c.uid = NOBODY;
	s->children[s->n++] = c;
	return 0;
}

static void reap(struct service *s)
{
	pid_t pid;

	while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
		for (size_t i = 0; i < s->n; i++)
			if (s->children[i].pid == pid)
				s->children[i--] = s->children[--s->n];
}

/* False when told to end. */
static bool take_signal(struct service *s)
{
	struct signalfd_siginfo info;

	while (read(s->signals, &info, sizeof(info)) == sizeof(info))
		if (info.ssi_signo != SIGCHLD)
			return false;
	reap(s);
	return true;
}

/* One round: false when it is time to go. */
static bool step(struct service *s)
{
	struct pollfd polls[] = {
		{ .fd = s->signals, .events = POLLIN },
		{ .fd = s->n < CHILDREN_MAX ? LISTENER : -1, .events = POLLIN },
	};
	int n = poll(polls, ARRAY_SIZE(polls), s->n == 0 ? s->idle_ms : -1);

	if (n < 0)
		return errno == EINTR;
	if (n == 0)
		return false;
	if (polls[0].revents && !take_signal(s))
		return false;
	/* No process to be had: whoever waits goes on waiting. */
	if (polls[1].revents && start_child(s) < 0)
		(void)poll(NULL, 0, 100);
	return true;
}

static int parse(struct service *s, int argc, char **argv)
{
	uint64_t seconds = 60;

	if (argc == 3 && strcmp(argv[1], "--idle") == 0 && str_u64(str_from(argv[2]), &seconds) == 0)
		argc = 1;
	if (argc != 1 || seconds > 86400)
		return -ERR_USAGE;
	s->idle_ms = (int)seconds * 1000;
	return 0;
}

int main(int argc, char **argv)
{
	_cleanup_diag_ struct diag d = DIAG_INIT;
	struct service s = { .signals = -1 };
	int r;

	if (parse(&s, argc, argv) < 0) {
		fprintf(stderr, "usage: cratons-mountd [--idle SECONDS]\n");
		return EXIT_USAGE;
	}
	r = take_listener(&d);
	if (r == 0)
		r = take_signals(&s, &d);
	if (r == 0)
		r = mountd_confine(&d);
	if (r < 0) {
		fprintf(stderr, "cratons-mountd: %s\n", buf_text(&d.what));
		if (d.hint.len)
			fprintf(stderr, "%s\n", buf_text(&d.hint));
		return err_exit_status(r);
	}
	while (step(&s))
		;
	return 0;
}
