// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/mountd.h"

#include "base/fd.h"
#include "prim/err.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

/* The service gives up earlier. */
#define PATIENCE_SECONDS 10
#define CROWDED_TRIES	 100
#define CROWDED_US	 50000

union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(int))];
};

static bool of_root(int fd)
{
	struct ucred who;
	socklen_t len = sizeof(who);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) == 0 && who.uid == 0;
}

static int reach(void)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX, .sun_path = MOUNTD_SOCKET };
	struct timeval patience = { .tv_sec = PATIENCE_SECONDS };
	_cleanup_fd_ int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0 ||
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) < 0 ||
		connect(fd, (struct sockaddr *)&sun, sizeof(sun)) < 0 || !of_root(fd))
		return -ENXIO;
	return TAKE_FD(fd);
}

static void attach(struct msghdr *msg, union control *control, int fd)
{
	struct cmsghdr *c = &control->align;

	memset(control, 0, sizeof(*control));
	msg->msg_control = control;
	msg->msg_controllen = sizeof(control->bytes);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
}

static int say(int connection, enum mountd_operation operation, int directory)
{
	struct mountd_request request = {
		.magic = MOUNTD_MAGIC,
		.protocol = MOUNTD_PROTOCOL,
		.operation = (uint16_t)operation,
	};
	struct iovec iov = { &request, sizeof(request) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	union control control;

	if (directory >= 0)
		attach(&msg, &control, directory);
	/* A service that has no time for us has said so already and gone. */
	return sendmsg(connection, &msg, MSG_NOSIGNAL) < 0 && errno != EPIPE ? -errno : 0;
}

/* The descriptor that came along, or -1. */
static int hear(int connection, struct mountd_reply *ret, int *ret_fd)
{
	union control control;
	struct iovec iov = { ret, sizeof(*ret) };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = CMSG_LEN(sizeof(int)),
	};
	bool reset = false;
	struct cmsghdr *c;
	ssize_t n;

	/* One that went before it read the request has reset the connection: the kernel tells that first,
	 * and then gives the answer that it had sent. */
	while ((n = recvmsg(connection, &msg, MSG_CMSG_CLOEXEC)) < 0) {
		if (errno != EINTR && (errno != ECONNRESET || reset))
			break;
		reset |= errno == ECONNRESET;
	}
	if (n < 0)
		return errno == EAGAIN ? -ETIMEDOUT : -errno;
	c = CMSG_FIRSTHDR(&msg);
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
		c->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(ret_fd, CMSG_DATA(c), sizeof(int));
	if (n != sizeof(*ret) || (msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) || ret->magic != MOUNTD_MAGIC)
		return -EPROTO;
	return 0;
}

static int refused(const struct mountd_reply *reply, struct diag *d)
{
	static const char *const sentences[] = {
		"it does not say why",
#define X(name, sentence) sentence,
		MOUNTD_STATUS_TABLE(X)
#undef X
	};
	size_t i = reply->status < ARRAY_SIZE(sentences) ? reply->status : 0;

	if (reply->status == MOUNTD_FAILED && reply->error < 0 && reply->error > -4096)
		return diag_fail(d, -ERR_MOUNT, "cratons-mountd says: %s", err_sentence(reply->error));
	return diag_fail(d, -ERR_MOUNT, "cratons-mountd says: %s", sentences[i]);
}

static int ask_once(enum mountd_operation operation, int directory, struct mountd_reply *ret, struct diag *d)
{
	_cleanup_fd_ int connection = reach(), device = -1;
	int r;

	if (connection < 0)
		return -ENXIO;
	r = say(connection, operation, directory);
	if (r == 0)
		r = hear(connection, ret, &device);
	if (r < 0)
		return diag_fail(d, -ERR_MOUNT, "cratons-mountd does not answer: %s", err_sentence(r));
	if (ret->status != MOUNTD_DONE)
		return refused(ret, d);
	if ((device >= 0) != (operation == MOUNTD_MOUNT))
		return diag_fail(d, -ERR_MOUNT, "cratons-mountd answers something else than was asked");
	return device >= 0 ? TAKE_FD(device) : 0;
}

int mountd_ask(enum mountd_operation operation, int directory, struct diag *d)
{
	struct mountd_reply reply = { 0 };
	int r = ask_once(operation, directory, &reply, d);

	/* Others of this user ask at the same time: each takes milliseconds. */
	for (int i = 0; r == -ERR_MOUNT && reply.status == MOUNTD_CROWDED && i < CROWDED_TRIES; i++) {
		usleep(CROWDED_US);
		reply.status = MOUNTD_STATUS_NONE;
		r = ask_once(operation, directory, &reply, d);
	}
	return r;
}
