// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Names to addresses by the host's own means (getaddrinfo: hosts file, DNS, what nsswitch.conf says), in a
 * few threads. Questions for one name wait for one answer, which is kept for a moment: a program that opens
 * fifty connections at once asks once. What is kept is judged again by who dials.
 */
#include "dial.h"

#include <errno.h>
#include <netdb.h>

#define KEPT_MS	   2000

struct waiting {
	struct waiting *next;
	resolved_fn fn;
	void *data;
};

struct question {
	struct egress *egress;
	struct question *next;		/* in its slot */
	struct waiting *waiting;
	bool done;
	uint64_t done_ms;
	int error;
	struct in6_addr all[RESOLVED_MAX];
	size_t n, length;
	char name[];
};

/* Only the loop's thread looks at it. */
static struct question **slot_of(struct egress *e, struct str name)
{
	unsigned h = 5381;

	for (size_t i = 0; i < name.n; i++)
		h = h * 33 + (unsigned char)name.p[i];
	return &e->questions[h % QUESTION_SLOTS];
}

/* RFC 8305, 4: families in turn, beginning with that of the first. */
static void interleave(struct question *q, const struct in6_addr *in, size_t n)
{
	bool four = n && inet_is4(&in[0]);
	bool used[RESOLVED_MAX] = { false };

	while (q->n < n) {
		size_t i = 0;

		while (i < n && (used[i] || inet_is4(&in[i]) != four))
			i++;
		four = !four;
		if (i == n)
			continue;
		used[i] = true;
		q->all[q->n++] = in[i];
	}
}

/* On a resolver's thread. */
static void ask(void *data)
{
	static const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG };
	struct question *q = data;
	struct in6_addr in[RESOLVED_MAX];
	struct addrinfo *all = NULL;
	uint16_t port;
	size_t n = 0;

	q->error = getaddrinfo(q->name, NULL, &hints, &all);
	for (struct addrinfo *a = q->error ? NULL : all; a && n < RESOLVED_MAX; a = a->ai_next)
		if (inet_from_sockaddr(a->ai_addr, &in[n], &port) == 0)
			n++;
	if (all)
		freeaddrinfo(all);
	interleave(q, in, n);
	if (!q->error && !n)
		q->error = EAI_NONAME;
}

static void answer(void *data)
{
	struct question *q = data;
	struct waiting *w = q->waiting, *next;

	q->done = true;
	q->done_ms = now_ms();
	q->waiting = NULL;
	for (; w; w = next) {
		next = w->next;
		w->fn(w->data, q->error, q->all, q->n);
		free(w);
	}
}

static void forget_old(struct question **at)
{
	uint64_t now = now_ms();

	while (*at) {
		struct question *q = *at;

		if (q->done && now - q->done_ms >= KEPT_MS) {
			*at = q->next;
			free(q);
		} else {
			at = &q->next;
		}
	}
}

static int begin(struct egress *e, struct question **slot, struct str name, struct question **ret)
{
	struct question *q = calloc(1, sizeof(*q) + name.n + 1);
	int r;

	if (!q)
		return -ENOMEM;
	q->egress = e;
	q->length = name.n;
	memcpy(q->name, name.p, name.n);
	r = pool_run(e->resolvers, ask, answer, q);
	if (r < 0) {
		free(q);
		return r;
	}
	q->next = *slot;
	*slot = q;
	*ret = q;
	return 0;
}

int resolve(struct egress *e, struct str name, resolved_fn fn, void *data)
{
	struct question **slot = slot_of(e, name), *q;
	struct waiting *w;
	int r;

	forget_old(slot);
	for (q = *slot; q; q = q->next)
		if (str_eq(str_of(q->name, q->length), name))
			break;
	if (q && q->done) {
		fn(data, q->error, q->all, q->n);
		return 0;
	}
	w = calloc(1, sizeof(*w));
	if (!w)
		return -ENOMEM;
	r = q ? 0 : begin(e, slot, name, &q);
	if (r < 0) {
		free(w);
		return r;
	}
	*w = (struct waiting){ q->waiting, fn, data };
	q->waiting = w;
	return 0;
}
