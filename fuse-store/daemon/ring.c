// SPDX-License-Identifier: GPL-2.0-or-later
#include "ring.h"

#include "protocol.h"

#include "base/fd.h"
#include "prim/err.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <sys/mman.h>

/* Threads for the requests of one processor. */
#define RING_DEPTH 2
#define RING_PROCESSORS_MAX 1024

/* What the kernel writes and reads; where a request is put together, its two headers end where the
 * payload begins. */
struct area {
	struct protocol_ring_header header;
	char front[4096 - sizeof(struct protocol_ring_header)];
	char payload[RING_PAYLOAD];
};

struct ring {
	struct io_uring ring;
	struct area *area;
	struct iovec iov[2];	/* read by the kernel when the entry is registered */
	int device;
	unsigned processor;
	bool asked;		/* a request is to be answered */
	bool answered;
};

struct rings {
	size_t n;
	struct ring v[];
};

size_t rings_count(const struct rings *r)
{
	return r ? r->n : 0;
}

struct ring *rings_at(struct rings *r, size_t i)
{
	return &r->v[i];
}

unsigned ring_processor(const struct ring *r)
{
	return r->processor;
}

char *ring_payload(struct ring *r)
{
	return r->area->payload;
}

/* All that there may ever be, "0-7" or "0": the kernel waits for an entry for each of them. */
static int possible_processors(unsigned *ret)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	struct str rest, first;
	uint64_t last;
	int r = file_slurp(AT_FDCWD, "/sys/devices/system/cpu/possible", &text, 4096);

	if (r < 0)
		return r;
	rest = buf_str(&text);
	rest = str_cut(&rest, '\n');
	first = str_cut(&rest, '-');
	/* Numbers with gaps: the kernel counts queues by how many there are, and would miss the last. */
	if (!str_is(first, "0") || str_u64(rest.p ? rest : first, &last) < 0)
		return -EOPNOTSUPP;
	if (last >= RING_PROCESSORS_MAX)
		return -ERANGE;
	*ret = (unsigned)last + 1;
	return 0;
}

/* Only FUSE's commands, and once the thread took the ring over nothing can be registered. Debian's
 * liburing 2.3 leaves its own functions for this and for enabling out of the library. */
static int restrict_ring(struct io_uring *ring)
{
	struct io_uring_restriction only[] = {
		{ .opcode = IORING_RESTRICTION_SQE_OP, .sqe_op = IORING_OP_URING_CMD },
	};

	return io_uring_register((unsigned)ring->ring_fd, IORING_REGISTER_RESTRICTIONS, only,
		ARRAY_SIZE(only));
}

static int ring_init(struct ring *r, int device, unsigned processor)
{
	struct io_uring_params params = {
		.flags = IORING_SETUP_SQE128 | IORING_SETUP_R_DISABLED | IORING_SETUP_SINGLE_ISSUER |
			IORING_SETUP_DEFER_TASKRUN,
	};
	int e;

	r->device = device;
	r->processor = processor;
	r->area = mmap(NULL, sizeof(*r->area), PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (r->area == MAP_FAILED) {
		r->area = NULL;
		return -errno;
	}
	r->iov[0] = (struct iovec){ &r->area->header, sizeof(r->area->header) };
	r->iov[1] = (struct iovec){ r->area->payload, sizeof(r->area->payload) };
	e = io_uring_queue_init_params(1, &r->ring, &params);
	if (e < 0) {
		munmap(TAKE_PTR(r->area), sizeof(*r->area));
		return e;
	}
	return restrict_ring(&r->ring);
}

int rings_new(struct rings **ret, int device)
{
	_cleanup_(rings_free_p) struct rings *r = NULL;
	unsigned processors;
	int e = possible_processors(&processors);

	if (e < 0)
		return e;
	r = calloc(1, sizeof(*r) + processors * RING_DEPTH * sizeof(r->v[0]));
	if (!r)
		return -ENOMEM;
	while (e == 0 && r->n < processors * RING_DEPTH) {
		e = ring_init(&r->v[r->n], device, (unsigned)(r->n / RING_DEPTH));
		r->n++;
	}
	if (e == 0)
		*ret = TAKE_PTR(r);
	return e;
}

void rings_free(struct rings *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->n; i++) {
		if (!r->v[i].area)
			continue;
		io_uring_queue_exit(&r->v[i].ring);
		munmap(r->v[i].area, sizeof(*r->v[i].area));
	}
	free(r);
}

static struct io_uring_sqe *command(struct ring *r, uint32_t op, uint64_t commit_id)
{
	struct protocol_ring_command c = { .commit_id = commit_id, .queue = (uint16_t)r->processor };
	struct io_uring_sqe *e = io_uring_get_sqe(&r->ring);

	assert(e);	/* there is one place, and what was in it has been taken */
	memset(e, 0, sizeof(*e));
	e->opcode = IORING_OP_URING_CMD;
	e->fd = r->device;
	e->cmd_op = op;
	memcpy(e->cmd, &c, sizeof(c));	/* what follows in the 80 bytes stays 0, as it was mapped */
	return e;
}

int ring_register(struct ring *r)
{
	struct io_uring_sqe *e;
	int n = io_uring_register((unsigned)r->ring.ring_fd, IORING_REGISTER_ENABLE_RINGS, NULL, 0);

	if (n < 0)
		return n;
	e = command(r, PROTOCOL_RING_REGISTER, 0);
	e->addr = (uint64_t)(uintptr_t)r->iov;
	e->len = ARRAY_SIZE(r->iov);
	n = io_uring_submit(&r->ring);
	return n < 0 ? n : 0;
}

/* What came, put together as the device would have given it: the header, the operation's own, the rest. */
static ssize_t request(struct ring *r, void **ret)
{
	const struct protocol_ring_header *h = &r->area->header;
	size_t payload = h->payload_size, len = h->in.len, op = len - sizeof(h->in) - payload;
	char *at = r->area->payload;

	r->asked = true;
	r->answered = false;
	if (payload > sizeof(r->area->payload) || op > sizeof(h->op_in))
		return -EPROTO;
	at -= op;
	memcpy(at, h->op_in, op);
	at -= sizeof(h->in);
	memcpy(at, &h->in, sizeof(h->in));
	*ret = at;
	return (ssize_t)len;
}

/* Who asked would wait for ever without an answer. */
static void refuse(struct ring *r)
{
	struct protocol_ring_header *h = &r->area->header;

	h->out = (struct protocol_out){
		.len = sizeof(h->out),
		.error = -EIO,
		.unique = h->commit_id,
	};
	h->payload_size = 0;
}

static int commit_and_wait(struct ring *r)
{
	struct io_uring_cqe *cqe;
	int e;

	if (r->asked && !r->answered)
		refuse(r);
	if (r->asked)
		command(r, PROTOCOL_RING_COMMIT, r->area->header.commit_id);
	r->asked = false;
	do {
		e = io_uring_submit_and_wait(&r->ring, 1);
		if (e >= 0 || e == -EINTR)
			e = io_uring_peek_cqe(&r->ring, &cqe);
	} while (e == -EAGAIN || e == -EINTR);
	if (e < 0)
		return e;
	e = cqe->res;
	io_uring_cqe_seen(&r->ring, cqe);
	return e;
}

ssize_t ring_next(struct ring *r, void **ret)
{
	ssize_t n;

	do {
		n = commit_and_wait(r);
		if (n >= 0)
			n = request(r, ret);
	} while (n == -EPROTO);
	return n;
}

bool ring_answer(struct ring *r, const struct iovec *iov, int n)
{
	struct protocol_ring_header *h = &r->area->header;
	struct protocol_out out;
	size_t used = 0;

	if (!r->asked || n < 1 || iov[0].iov_len != sizeof(out))
		return false;
	memcpy(&out, iov[0].iov_base, sizeof(out));
	if (out.unique != h->commit_id)
		return false;
	for (int i = 1; i < n; i++) {
		if (iov[i].iov_len > sizeof(r->area->payload) - used)
			return false;
		if (iov[i].iov_base != r->area->payload + used)
			memmove(r->area->payload + used, iov[i].iov_base, iov[i].iov_len);
		used += iov[i].iov_len;
	}
	h->out = out;
	h->payload_size = (uint32_t)used;
	r->answered = true;
	return true;
}
