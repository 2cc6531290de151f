/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a helper gives up of itself before it hears from anybody, by libcap and libseccomp, which allocate:
 * not for a container's builder, who goes on after a clone by system calls only. Files and ports: landlock.h.
 */
#ifndef CRATONS_CONFINE_H
#define CRATONS_CONFINE_H

#include <sched.h>
#include <seccomp.h>
#include <stddef.h>

#define CONFINE_NO_CAPABILITY (-1)

/* Takes all capabilities but `keep` out of the bounding set, as far as it may: an ordinary user may not, and
 * has nothing there that an exec could give. */
void confine_bounding(int keep);
/* Leaves no capability but `keep`, which must be held. 0 or -errno. */
int confine_capabilities(int keep);

/* A call of which some arguments are bounded: all comparisons have to hold. */
struct confine_narrow {
	int call;
	unsigned n;
	struct scmp_arg_cmp arguments[3];
};

/* Processes and threads, but no namespaces, in which there would be capabilities to try on the kernel. */
#define CONFINE_CLONE { SCMP_SYS(clone), 1, { { 0, SCMP_CMP_MASKED_EQ, CLONE_NEWNS | CLONE_NEWCGROUP |             \
	CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET, 0 } } }

/* Every call but these is EPERM; clone3 is ENOSYS, as its flags are in memory, where a filter cannot see them, and
 * the C library falls back to clone. 0 or -errno. Under a sanitizer, whose run time needs calls of its own, it does
 * nothing. */
int confine_calls(const int *calls, size_t n, const struct confine_narrow *narrow, size_t nnarrow);

#endif
