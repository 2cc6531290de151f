/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The FUSE server's client: finds the user's cratons-fused or starts it, and gives the namespaces in
 * which the store is mounted. The connection is the lease: the server serves as long as one is open
 * and for some idle minutes after.
 */
#ifndef CRATONS_ENGINE_MOUNT_H
#define CRATONS_ENGINE_MOUNT_H

#include "prim/diag.h"
#include "prim/hash.h"

struct cas_writer;
struct mount_server;

/* Connects to the server for this home, starting one if there is none or if the one there is dead
 * or of another version. Waits until its mount answers. -ERR_MOUNT names what is missing. */
int mount_server_join(struct mount_server **ret, int home_fd, const char *home, struct diag *d);
void mount_server_free(struct mount_server *s);
DEFINE_CLEANUP(struct mount_server *, mount_server_free);

/* Borrowed descriptors of the server's namespaces, for setns. */
int mount_server_user_ns(const struct mount_server *s);
int mount_server_mount_ns(const struct mount_server *s);
/* Where the store is mounted inside that mount namespace: trees are at <path>/<hex digest>. */
const char *mount_server_path(const struct mount_server *s);
pid_t mount_server_pid(const struct mount_server *s);
/* Whether the kernel's requests come by io_uring. */
bool mount_server_has_rings(const struct mount_server *s);

/* On the host, where the caller may mount (root), or the administrator's cratons-mountd or the host's
 * fusermount3 does it: a mount of one tree at `path`, served until it is unmounted. The caller keeps
 * the tree alive, by a root of this name. */
int mount_host(int home_fd, const char *home, const struct digest *tree, const char *path,
	struct diag *d);
/* The mount point's real path, written so that it is not the name of a project there: "<path>/.". */
int mount_root_name(const char *path, struct buf *ret);
/* Whether an environment is mounted at the real path. */
bool mount_is_there(const char *path);
int mount_host_remove(const char *path, struct diag *d);

/* In which of these ways mount_host() would go, as words; -ERR_MOUNT when in none. */
int mount_host_way(const char **ret, struct diag *d);

/* Detaches mounts at or below `path` whose server is dead. */
int mount_heal(const char *path, struct diag *d);

/* Puts aside what servers found damaged while they served (they only read the store): the number of
 * objects and trees, which the next installation fetches again. Cheap when there is nothing, which the
 * first of the two tells without a session. */
bool mount_damage_known(int home_fd);
int mount_damage_heal(struct cas_writer *w, int home_fd, unsigned *ret_n, struct diag *d);

#endif
