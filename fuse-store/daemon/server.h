/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cratons-fused: what its parts share. The program is single-threaded until it is confined
 * (confine.c); then the workers (loop.c) answer the kernel and the first thread answers commands
 * (listen.c) until nothing needs the mount any more.
 */
#ifndef CRATONS_DAEMON_SERVER_H
#define CRATONS_DAEMON_SERVER_H

#include "cas/cas.h"
#include "node.h"
#include "prim/diag.h"

#include <cratons/wire/fused.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

struct fuse_session;
struct damage;
struct iovec;
struct rings;

struct server {
	const char *home;		/* path; the descriptor below is what is used */
	int home_fd, run_fd;
	const char *at;			/* host mounts: where; NULL: in namespaces of its own */
	struct digest tree;		/* host mounts: what */
	int connection;			/* of the command that started it, or -1 */
	unsigned idle_seconds;
	unsigned workers, poll_us;	/* how long a worker polls before it sleeps */
	unsigned read_ahead;		/* files */
	bool use_rings;			/* where the kernel offers them */
	unsigned timeout_seconds;	/* for an answer; 0: none */
	unsigned guard_us;		/* how long storing may take before the guard looks */

	struct fused_build build;
	dev_t index_device;		/* the index that was opened */
	ino_t index_inode;
	struct cas *cas;
	struct nodes *nodes;
	struct damage *damage;
	struct fuse_session *fuse;
	int device;			/* /dev/fuse; owned by `fuse` once that is set */
	bool greeting;			/* INIT is being answered */
	uint32_t kernel_flags;		/* what the kernel offers (INIT's flags2) */
	struct rings *rings;		/* NULL: all requests come through the device */
	int listener;
	int user_ns, mount_ns;
	char mount[FUSED_TEXT];
	uid_t uid;
	gid_t gid;

	pthread_mutex_t lead;		/* held by the worker that waits for requests */
	pthread_mutex_t storing;	/* held by the one worker that may store */
	_Atomic uint64_t storing_since;	/* now_us(); 0: nothing is being stored */
	atomic_bool guarded;		/* the guard is awake */
	sem_t guard;
	pthread_key_t worker;		/* struct worker of the thread */
	int ended;			/* eventfd: the kernel ended the mount */
};

/* namespace.c: the user and mount namespaces, and the mount in them or on the host. */
int server_namespaces(struct server *s, struct diag *d);
int server_mount(struct server *s, struct diag *d);

/* Mount at a directory of the host, for a user who may not: the device's descriptor, or -ERR_MOUNT with
 * what to do. service.c gives -ENXIO where there is no such service; fusermount.c is what is left. */
int service_mount(const char *at, struct diag *d);
int fusermount_mount(const char *at, struct diag *d);

/* ops.c: the session for s->device. */
int server_session(struct server *s, struct diag *d);

/* handshake.c: the first exchange with the kernel, and what goes into our answer besides libfuse's. */
int server_handshake(struct server *s, struct diag *d);
void handshake_amend(struct server *s, struct iovec *iov, int n);

/* confine.c: from here on no capability, no new file but the store's, few system calls. */
int server_confine(struct server *s, struct diag *d);

/* loop.c */
uint64_t now_us(void);
void guard_wake(struct server *s);
struct worker;
int server_transport(struct server *s, struct diag *d);	/* how libfuse reads and writes */
int server_workers(struct server *s, struct diag *d);
struct worker *server_worker(struct server *s);
/* Tells that this thread is about to wait for something else than the kernel's next request, so that
 * another one waits for that meanwhile. */
void worker_yields(struct server *s);

/* read.c: `size` bytes at `offset` of a file, verified: the number of bytes, which are valid until
 * this worker's next call, or a negative code. */
ssize_t server_read(struct server *s, const struct node *file, uint64_t offset, size_t size,
	const void **ret);

/* ahead.c: a small file is about to be answered: those after it are worth having. */
void read_ahead(struct server *s, const struct node *file);

/* listen.c */
int server_listen(struct server *s, struct diag *d);
void server_answer(struct server *s, int connection, enum fused_status status,
	const struct diag *d);
int server_serve(struct server *s);

/* main.c: false when another index took the place of the one that is open (it was made anew, or the
 * whole store was): a confined server cannot follow, as opening an index takes writing. */
bool server_has_index(const struct server *s);

/* damage.c: remembers what failed its digest for the next command to put aside. */
int damage_new(struct damage **ret, int run_fd);
void damage_report(struct damage *d, const char *kind, const struct digest *what);

#endif
