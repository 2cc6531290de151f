/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cratons-mountd: what its parts share. The first process only waits at the listening socket and
 * forks; a child takes one connection, answers one request and ends. The first process never touches
 * what a peer sent: taking a descriptor in, or closing one (a socket that lingers, a file whose FUSE
 * server is silent), can make a process wait for whoever made it. A child that waits is ended by its
 * alarm, but for one that closes a file of FUSE: the kernel lets nothing end that but the server, so it
 * stands in its user's place for as long.
 */
#ifndef CRATONS_MOUNTD_H
#define CRATONS_MOUNTD_H

#include "prim/diag.h"

#include <cratons/wire/mountd.h>
#include <sys/types.h>

#define CHILDREN_MAX	   64	/* requests at a time, */
#define USER_CHILDREN_MAX  8	/* and of one user */
#define REQUEST_SECONDS	   5	/* for one request, the peer's silence included */
#define MOUNTS_MAX	   1000	/* mounts of Cratons on this host; fusermount3's default is the same */
#define USER_MOUNTS_MAX	   200	/* and of one user. Requests at the same time may pass them by a few */

struct peer {
	int connection;
	uid_t uid;
	gid_t gid;
	pid_t pid;	/* who connected; it may be gone */
};

/* Why a request was not done: a status, and with MOUNTD_FAILED the system's error. */
struct answer {
	enum mountd_status status;
	int error;
};
#define ANSWER(name) ((struct answer){ .status = MOUNTD_##name })
#define ANSWER_ERRNO ((struct answer){ .status = MOUNTD_FAILED, .error = -errno })

/* confine.c: from here on no capability but CAP_SYS_ADMIN, and few system calls. */
int mountd_confine(struct diag *d);

/* origin.c: whether who connected lives in the service's own user namespace, as far as can be known. In
 * another one a user may be many: all their subordinate ids (newuidmap(1)), each with a user's limits. */
bool origin_is_ours(const struct peer *p);

/* serve.c: one connection, to its end. `crowded`: the peer has too many open. */
void mountd_serve(const struct peer *p, bool crowded);

/* mount.c. What was made, for the caller to close; -1 otherwise. */
struct made {
	int device, mount;
};
struct answer mountd_hello(const struct peer *p, int directory, struct made *ret);
struct answer mountd_mount(const struct peer *p, int directory, struct made *ret);
struct answer mountd_unmount(const struct peer *p, int directory, struct made *ret);
/* Takes a mount away again that its user never heard of. */
void mountd_undo(int mount);

#endif
