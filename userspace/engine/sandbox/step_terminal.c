// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The terminal: a pair in the container's own /dev/pts. The master goes to the supervisor; the slave
 * becomes the controlling terminal of a new session and takes the place of the caller's terminal,
 * which never enters (so TIOCSTI and TIOCLINUX have nothing to work on).
 */
#include "engine/sandbox/sandbox-priv.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

static int send_master(const struct plan *p, int master)
{
	struct init_frame frame = { .kind = INIT_TTY };
	struct iovec part = { &frame, sizeof(frame) };
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control,
		.msg_controllen = sizeof(control) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &master, sizeof(int));
	return sendmsg(p->control[1], &m, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static int open_pair(struct plan *p, int *ret_master)
{
	int unlock = 0;

	p->at = "/dev/pts/ptmx";
	*ret_master = open_inside(p->dev, "pts/ptmx", O_RDWR | O_NOCTTY);
	if (*ret_master < 0)
		return *ret_master;
	if (ioctl(*ret_master, TIOCSPTLCK, &unlock) < 0)
		return -errno;
	p->slave = ioctl(*ret_master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (p->slave < 0)
		return -errno;
	return 0;
}

int terminal_enter(struct plan *p)
{
	struct termios settings = p->terminal.settings;
	_cleanup_fd_ int master = -1;
	int r;

	if (setsid() < 0)
		return -errno;
	if (!p->terminal.wanted)
		return 0;
	r = open_pair(p, &master);
	if (r < 0)
		return r;
	if (p->terminal.lazy)
		settings.c_oflag &= ~(tcflag_t)OPOST;
	if (tcsetattr(p->slave, TCSANOW, &settings) < 0 ||
		ioctl(p->slave, TIOCSWINSZ, &p->terminal.size) < 0 ||
		ioctl(p->slave, TIOCSCTTY, 0) < 0)
		return -errno;
	p->at = NULL;
	return send_master(p, master);
}
