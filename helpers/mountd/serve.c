// SPDX-License-Identifier: GPL-2.0-or-later
#include "mountd.h"

#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

/* One descriptor has room: the kernel drops what else comes and says so (MSG_CTRUNC). */
union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(int))];
};

static const struct {
	bool directory;		/* goes with the request */
	struct answer (*fn)(const struct peer *p, int directory, struct made *ret);
} operations[] = {
	[MOUNTD_HELLO] = { false, mountd_hello },
	[MOUNTD_MOUNT] = { true, mountd_mount },
	[MOUNTD_UNMOUNT] = { true, mountd_unmount },
};

static int attached(struct msghdr *msg)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(msg);
	int fd;

	if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS ||
		c->cmsg_len != CMSG_LEN(sizeof(int)))
		return -1;
	memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

/* False when the peer went without a word. */
static bool receive(const struct peer *p, struct mountd_request *ret, int *ret_fd, struct answer *ret_answer)
{
	union control control;
	struct iovec iov = { ret, sizeof(*ret) };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = CMSG_LEN(sizeof(int)),
	};
	ssize_t n = recvmsg(p->connection, &msg, MSG_CMSG_CLOEXEC);

	if (n < 0)
		return false;
	/* Also from a packet without a byte. */
	*ret_fd = attached(&msg);
	if (n == 0)
		return false;
	if (n != sizeof(*ret) || (msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) || ret->magic != MOUNTD_MAGIC)
		*ret_answer = ANSWER(MALFORMED);
	else if (ret->protocol != MOUNTD_PROTOCOL)
		*ret_answer = ANSWER(VERSION);
	else
		*ret_answer = ANSWER(DONE);
	return true;
}

/* Only a name for a directory, not an open file: nothing that is done with it can wait for a peer. */
static bool is_path(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags >= 0 && (flags & O_PATH);
}

static struct answer perform(const struct peer *p, const struct mountd_request *q, int fd, struct made *ret)
{
	if (q->operation >= ARRAY_SIZE(operations) || !operations[q->operation].fn ||
		operations[q->operation].directory != (fd >= 0) || (fd >= 0 && !is_path(fd)))
		return ANSWER(MALFORMED);
	/* It needs no service, and a root without the right to mount shall not get it here. */
	if (p->uid == 0)
		return ANSWER(ROOT);
	return operations[q->operation].fn(p, fd, ret);
}

static int reply(const struct peer *p, struct answer a, int device)
{
	struct mountd_reply frame = {
		.magic = MOUNTD_MAGIC,
		.protocol = MOUNTD_PROTOCOL,
		.status = (uint16_t)a.status,
		.error = a.error,
	};
	union control control = { 0 };
	struct iovec iov = { &frame, sizeof(frame) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (device >= 0) {
		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control.bytes);
		CMSG_FIRSTHDR(&msg)->cmsg_level = SOL_SOCKET;
		CMSG_FIRSTHDR(&msg)->cmsg_type = SCM_RIGHTS;
		CMSG_FIRSTHDR(&msg)->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(CMSG_FIRSTHDR(&msg)), &device, sizeof(device));
	}
	return sendmsg(p->connection, &msg, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

/* One line a mount for the administrator's journal, and one for what should not happen. Not by stdio,
 * which asks more of the kernel than is allowed. */
static void tell(const struct peer *p, unsigned operation, struct answer a)
{
	char line[160];
	int n = 0;

	if (a.status == MOUNTD_FAILED)
		n = snprintf(line, sizeof(line), "uid %u: operation %u failed: %s\n", (unsigned)p->uid, operation,
			strerrordesc_np(-a.error));
	else if (a.status == MOUNTD_DONE && operation != MOUNTD_HELLO)
		n = snprintf(line, sizeof(line), "uid %u: %s\n", (unsigned)p->uid,
			operation == MOUNTD_MOUNT ? "mounted" : "unmounted");
	if (n > 0 && (size_t)n < sizeof(line))
		(void)!write(2, line, (size_t)n);
}

static void made_done(struct made *m)
{
	fd_closep(&m->device);
	fd_closep(&m->mount);
}

/* What came is closed here and not by the exit: what a close() waits for, the alarm can end, but an
 * exit is past all signals. */
void mountd_serve(const struct peer *p, bool crowded)
{
	_cleanup_(made_done) struct made made = { -1, -1 };
	_cleanup_fd_ int fd = -1;
	struct mountd_request q;
	struct answer a;

	/* What came with the request of either is not even taken: it goes with the connection, and that
	 * waits for nobody. */
	if (crowded || !origin_is_ours(p)) {
		(void)reply(p, crowded ? ANSWER(CROWDED) : ANSWER(OUTSIDER), -1);
		return;
	}
	if (!receive(p, &q, &fd, &a))
		return;
	if (a.status == MOUNTD_DONE) {
		a = perform(p, &q, fd, &made);
		tell(p, q.operation, a);
	}
	if (reply(p, a, made.device) < 0 && made.mount >= 0)
		mountd_undo(made.mount);
}
