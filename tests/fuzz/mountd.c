// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Input: whether there are too many, and what may be asked from where; which descriptors come along; then the
 * packet. What must hold: an operation is done only when it was asked for in so many words, with what it
 * takes; there is one answer of the one size; and no descriptor stays.
 */
#include "helpers/mountd/serve.c"

#include <assert.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct {
	unsigned done, undone;
	bool ours;
	enum mountd_operation operation;
} did;

bool origin_is_ours(const struct peer *p)
{
	return did.ours;
}

static struct answer note(enum mountd_operation operation, int directory)
{
	did.done++;
	did.operation = operation;
	assert((directory >= 0) == (operation != MOUNTD_HELLO));
	assert(directory < 0 || (fcntl(directory, F_GETFL) & O_PATH));
	return ANSWER(DONE);
}

struct answer mountd_hello(const struct peer *p, int directory, struct made *ret)
{
	return note(MOUNTD_HELLO, directory);
}

struct answer mountd_mount(const struct peer *p, int directory, struct made *ret)
{
	*ret = (struct made){ open("/dev/null", O_RDWR | O_CLOEXEC), open("/", O_PATH | O_CLOEXEC) };
	return note(MOUNTD_MOUNT, directory);
}

struct answer mountd_unmount(const struct peer *p, int directory, struct made *ret)
{
	return note(MOUNTD_UNMOUNT, directory);
}

void mountd_undo(int mount)
{
	did.undone++;
}

static unsigned descriptors(void)
{
	unsigned n = 0;

	for (int fd = 3; fd < 64; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* Up to three, each an open folder, a name of one, or a file. */
static void put(int to, uint8_t which, const uint8_t *bytes, size_t n)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(3 * sizeof(int))];
	} many = { 0 };
	struct iovec iov = { (void *)(uintptr_t)bytes, n };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	int fds[3], count = which % 4;

	for (int i = 0; i < count; i++) {
		uint8_t kind = which >> (2 + 2 * i) & 3;

		fds[i] = kind == 3 ? open("/dev/null", O_RDWR | O_CLOEXEC) :
			open("/", (kind ? O_PATH : O_RDONLY) | O_CLOEXEC);
	}
	if (count) {
		m.msg_control = &many;
		m.msg_controllen = CMSG_SPACE((size_t)count * sizeof(int));
		many.align.cmsg_level = SOL_SOCKET;
		many.align.cmsg_type = SCM_RIGHTS;
		many.align.cmsg_len = CMSG_LEN((size_t)count * sizeof(int));
		memcpy(CMSG_DATA(&many.align), fds, (size_t)count * sizeof(int));
	}
	(void)!sendmsg(to, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (count)
		close(fds[--count]);
}

static void judge(const uint8_t *data, size_t size, const struct mountd_reply *reply, ssize_t n)
{
	struct mountd_request q = { 0 };

	memcpy(&q, data, MIN(size, sizeof(q)));
	assert(n <= 0 || (n == sizeof(*reply) && reply->magic == MOUNTD_MAGIC && reply->reserved == 0));
	assert(did.done <= 1 && did.undone == 0);
	if (did.done)
		assert(n > 0 && size == sizeof(q) && q.magic == MOUNTD_MAGIC && q.protocol == MOUNTD_PROTOCOL &&
			q.operation == did.operation && did.ours && reply->status == MOUNTD_DONE);
	else
		assert(n <= 0 || reply->status != MOUNTD_DONE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mountd_reply reply = { 0 };
	unsigned before = descriptors();
	struct peer p = { .uid = 1000 };
	int pair[2];
	ssize_t n;

	if (size < 2 || size > 4096)
		return 0;
	memset(&did, 0, sizeof(did));
	did.ours = !(data[0] & 2);
	p.uid = data[0] & 4 ? 0 : 1000;
	assert(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
	p.connection = pair[0];
	put(pair[1], data[1], data + 2, size - 2);
	shutdown(pair[1], SHUT_WR);
	mountd_serve(&p, data[0] & 1);
	n = recv(pair[1], &reply, sizeof(reply), MSG_DONTWAIT | MSG_TRUNC);
	assert(!did.done || (!(data[0] & 1) && p.uid));
	judge(data + 2, size - 2, &reply, n);
	close(pair[0]);
	close(pair[1]);
	assert(descriptors() == before);
	return 0;
}
