/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Landlock by system call. Debian 12's <linux/landlock.h> is older than what kernels know, so the
 * numbers are here (Documentation/userspace-api/landlock.rst); landlock_abi() says which of them the
 * running kernel takes. No function here allocates: a container's builder calls them after clone.
 */
#ifndef CRATONS_CONFINE_LANDLOCK_H
#define CRATONS_CONFINE_LANDLOCK_H

#include <stdint.h>

/* Access to files; what needs more than the first ABI says so. */
#define LANDLOCK_FILE_EXECUTE	  (1ULL << 0)
#define LANDLOCK_FILE_WRITE	  (1ULL << 1)
#define LANDLOCK_FILE_READ	  (1ULL << 2)
#define LANDLOCK_FILE_LIST	  (1ULL << 3)
#define LANDLOCK_FILE_REMOVE_DIR  (1ULL << 4)
#define LANDLOCK_FILE_REMOVE	  (1ULL << 5)
#define LANDLOCK_FILE_MAKE_DIR	  (1ULL << 7)
#define LANDLOCK_FILE_MAKE_CHAR	  (1ULL << 6)
#define LANDLOCK_FILE_MAKE	  (1ULL << 8)
#define LANDLOCK_FILE_MAKE_BLOCK  (1ULL << 11)
#define LANDLOCK_FILE_FIRST	  ((1ULL << 13) - 1)	/* all of ABI 1 */
#define LANDLOCK_FILE_REFER	  (1ULL << 13)	/* 2: rename and link across directories */
#define LANDLOCK_FILE_TRUNCATE	  (1ULL << 14)	/* 3 */
#define LANDLOCK_FILE_IOCTL	  (1ULL << 15)	/* 5: of devices */

#define LANDLOCK_TCP_BIND	  (1ULL << 0)	/* 4 */
#define LANDLOCK_TCP_CONNECT	  (1ULL << 1)	/* 4 */

#define LANDLOCK_SCOPE_ABSTRACT	  (1ULL << 0)	/* 6: abstract unix sockets made outside */
#define LANDLOCK_SCOPE_SIGNAL	  (1ULL << 1)	/* 6 */

/* What a ruleset denies where no rule allows it. */
struct landlock_handled {
	uint64_t files, tcp, scopes;
};

/* 0: this kernel has no Landlock, or something forbids it. */
int landlock_abi(void);
/* All that a kernel of this ABI can deny. */
struct landlock_handled landlock_everything(int abi);
/* A ruleset's descriptor, or -errno: -E2BIG or -EINVAL for what this kernel does not know. */
int landlock_new(const struct landlock_handled *h);
int landlock_allow_below(int ruleset, int fd, uint64_t files);
int landlock_allow_port(int ruleset, uint16_t port, uint64_t tcp);
/* Of the calling thread and what it starts from here on. Needs no_new_privs. */
int landlock_restrict(int ruleset);

#endif
