/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cratons-egress: the outside of a container's network door. One thread (the loop's) hears the supervisor,
 * answers names, accepts and dials; a few resolve names; one a processor moves the bytes of connections
 * that stand (relay.c). It ends when the supervisor's socket closes.
 */
#ifndef CRATONS_HELPERS_EGRESS_EGRESS_H
#define CRATONS_HELPERS_EGRESS_EGRESS_H

#include "base/fd.h"
#include "base/loop.h"
#include "names.h"
#include "policy.h"
#include "prim/vec.h"

/* The order in which the supervisor speaks; what comes in another one ends the helper. */
enum phase { PHASE_POLICY, PHASE_STARTED, PHASE_BORN };

struct published {
	int fd;			/* listens on the host */
	uint16_t port;		/* inside */
	struct counts counts;
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

struct relays;
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
	_Atomic uint32_t open;	/* connections and dials */
	_Atomic uint32_t unsent;	/* of them, those on which the container's end has not been passed on */
	uint64_t drain_until_ms;
	struct log log;
	struct relays *relays;
	struct dial *dials;	/* being made */
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

/* How many connections there may be for want of descriptors. */
uint32_t egress_room(const struct egress *e);

/* control.c */
int control_start(struct egress *e);
/* A packet with at most `max` descriptors; -EPROTO when it is not `size` long. 0: the end. */
ssize_t packet_receive(int fd, void *bytes, size_t size, int *fds, unsigned max, unsigned *ret_nfds);

/* door.c: what comes from the container */
/* The number in the pool that an address is, or -1. */
int64_t pool_number(const struct in6_addr *a);
bool door_has_port(const struct egress *e, uint16_t port);
int door_start(struct egress *e);
/* Begins to listen once the sockets are there and the policy is. */
void door_listen(struct egress *e);
/* Takes what waits at the listeners: connections of a container that has ended. */
void door_accept_last(struct egress *e);

/* watch.c: packets that nothing listens to */
void watch_read(void *data, int fd, unsigned events);

/* confine.c */
int confine(struct egress *e);
int confine_inside(int link);	/* of all descriptors, keeps this one */

/* publish.c */
int inside_start(struct egress *e);	/* before threads and walls */
void publish_begin(struct egress *e);

/* log.c */
void log_refusal(struct egress *e, struct str name, const struct in6_addr *address, uint16_t port,
	const char *reason);

#endif
