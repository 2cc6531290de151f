/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cratons-egress: the outside of a container's network door. One process hears the supervisor, answers names,
 * accepts, judges and dials (on one thread; a few others resolve names). Connections that stand it hands to
 * others of its kind (workers.c), which do nothing but move bytes (relay.c): as many as there are processors,
 * and more where a process may hold few descriptors. It ends when the supervisor's socket closes and what the
 * container sent has arrived.
 */
#ifndef CRATONS_HELPERS_EGRESS_EGRESS_H
#define CRATONS_HELPERS_EGRESS_EGRESS_H

#include "base/fd.h"
#include "base/loop.h"
#include "base/pass.h"
#include "names.h"
#include "policy.h"
#include "prim/vec.h"

/* The order in which the supervisor speaks; what comes in another one ends the helper. */
enum phase { PHASE_POLICY, PHASE_STARTED, PHASE_BORN };

struct published {
	int fd;			/* listens on the host */
	uint16_t port;		/* inside */
	struct counts *counts;
};

enum listener_kind { LISTENER_STREAM, LISTENER_DATAGRAM, LISTENER_WATCH };

struct listener {
	int fd;
	enum listener_kind kind;
};

struct log {
	int fd;			/* -1: nowhere */
	char container[64];
	uint64_t credit_ms;	/* lines that may be written, in milliseconds of the rate */
	uint64_t last_ms;
	uint64_t suppressed, bytes;
};

#define WORKERS_MAX 64

/* What the processes share, beside the counts: who begins adds, who ends takes away. */
struct shared {
	_Atomic uint32_t open;		/* connections and dials */
	_Atomic uint32_t bulk;		/* large pipes there are */
	_Atomic uint32_t of_worker[WORKERS_MAX];	/* connections handed to each */
	_Atomic uint32_t used[EGRESS_NAMES];		/* of each name's number */
};

struct workers;
struct dial;
struct question;

#define QUESTION_SLOTS 64

struct egress {
	struct loop *loop;
	struct pool *resolvers;
	enum phase phase;
	struct policy policy;
	struct published *published[EGRESS_PUBLISH_MAX];
	unsigned npublished;
	struct names names;
	bool ipv6;
	bool handed;		/* all sockets of the builder are here */
	VEC(struct listener) listeners;
	uint8_t ports[(UINT16_MAX + 1) / 8];	/* those with a listener */
	uint32_t connections_max, idle_seconds, fds_max;
	struct shared *shared;
	struct counts *counts;	/* a row a grant, then one a published port */
	unsigned rows;
	uint64_t linger_until_ms;
	struct log log;
	struct workers *workers;
	struct dial *dials;	/* being made */
	uint32_t dialling;	/* how many those are */
	struct question *questions[QUESTION_SLOTS];	/* names that are asked for, by hash */
	bool ticking;
	unsigned dns_streams;
	int inside;		/* the process that makes sockets inside; -1: none */
	int container;		/* its pidfd, until `inside` has it; -1: none */
	bool ending;
	int status;
};

uint64_t now_ms(void);
/* Stops the loop; the process ends with the status. */
void egress_end(struct egress *e, int status);

/* A connection is counted, and its name (may be NULL) kept, from when it is accepted until it has ended. */
void counts_begin(struct egress *e, struct counts *c, const struct name *name);
void counts_end(struct shared *s, struct counts *c, uint32_t number);

/* Closes so that the other side sees a reset. */
void socket_reset(int fd);

/* control.c */
int control_start(struct egress *e);

/* door.c: what comes from the container */
/* The number in the pool that an address is, or -1. */
int64_t pool_number(const struct in6_addr *a);
bool door_has_port(const struct egress *e, uint16_t port);
int door_start(struct egress *e);
/* Begins to listen once the sockets are there and the policy is. */
void door_listen(struct egress *e);
/* Takes what waits at the listeners, connections of a container that has ended, and listens no more. */
void door_accept_last(struct egress *e);

/* watch.c: packets that nothing listens to */
void watch_read(void *data, int fd, unsigned events);

/* confine.c */
int confine(struct egress *e);
/* The processes that it makes: of all descriptors from 3 up (`inside`: from 0) they keep this one. */
int confine_inside(int link);
int confine_worker(int link);

/* publish.c */
int inside_start(struct egress *e);	/* before threads and walls */
void publish_begin(struct egress *e);

/* log.c */
int log_bound(const struct log *l);	/* of what is written from here on */
void log_refusal(struct egress *e, struct str name, const struct in6_addr *address, uint16_t port,
	const char *reason);

#endif
