/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CRATONS_ENGINE_MOUNT_PRIV_H
#define CRATONS_ENGINE_MOUNT_PRIV_H

#include "engine/mount/mount.h"

#include <cratons/wire/fused.h>

/* How long a server may take to answer before it counts as dead. */
#define MOUNT_PATIENCE_SECONDS 10

/* The program: $CRATONS_FUSED, or cratons-fused beside this one. */
int fused_program(char *path, size_t size, struct fused_build *ret, struct diag *d);

/* Starts the program with `args` (NULL-terminated, without argv[0] and --connection): a connection to
 * it, on which its answer will come, or a negative code. */
int fused_start(const char *program, const char *const *args, struct diag *d);

/* Says hello and waits for the answer. `fds` take FUSED_FDS descriptors or -1. -ECONNRESET when the
 * other side went or is none of ours; -ETIMEDOUT. */
int fused_ask(int connection, const struct fused_build *build, struct fused_reply *ret, int *fds);

/* Whether the process at the other end of a connection has been killed, though a thread of it may still
 * hold the connection open in the kernel. */
bool fused_was_killed(int connection, pid_t *ret);
/* Has the kernel give up the mount at <run>/FUSED_MOUNT of that process, where this user can: what hangs
 * on it gets an error, and the process ends. */
void fused_abort(pid_t pid, int run_fd);

/* Whether a line of mountinfo (proc(5)), changed in place, is of a mount of ours. */
#define MOUNTINFO_MAX ((size_t)64 << 20)
bool mount_is_ours(struct str line, struct str *ret_device, struct str *ret_point);

/* Records a reply that says FUSED_FAILED and returns its code. */
int fused_failed(const struct fused_reply *reply, struct diag *d);

#endif
