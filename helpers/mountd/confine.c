// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the service gives up before it hears anybody, however it was started; its systemd unit says the
 * same from outside. CAP_SYS_ADMIN stays, as mounting takes it, so the list of system calls is what
 * keeps it to mounting.
 */
#include "mountd.h"

#include "confine/confine.h"

#include <errno.h>
#include <linux/capability.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

/* The loop, one request, and the C library's fork. No execve, no socket, no ptrace, and of mounting
 * only what makes one FUSE mount and takes one away. (poll and alarm are ppoll and setitimer on some
 * machines.) */
static const int allowed[] = {
	SCMP_SYS(accept4), SCMP_SYS(alarm), SCMP_SYS(brk), SCMP_SYS(close), SCMP_SYS(exit_group),
	SCMP_SYS(fcntl), SCMP_SYS(fsconfig), SCMP_SYS(fsmount), SCMP_SYS(fsopen), SCMP_SYS(futex),
	SCMP_SYS(getrandom), SCMP_SYS(getsockopt), SCMP_SYS(madvise), SCMP_SYS(move_mount),
	SCMP_SYS(munmap), SCMP_SYS(openat), SCMP_SYS(pipe2), SCMP_SYS(poll), SCMP_SYS(ppoll),
	SCMP_SYS(read), SCMP_SYS(recvmsg), SCMP_SYS(restart_syscall), SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn), SCMP_SYS(sendmsg), SCMP_SYS(set_robust_list), SCMP_SYS(setitimer),
	SCMP_SYS(statx), SCMP_SYS(umount2), SCMP_SYS(wait4), SCMP_SYS(write),
};

/* No namespaces, no memory to execute. */
static const struct confine_narrow allowed_without[] = {
	CONFINE_CLONE,
	{ SCMP_SYS(mmap), 1, { { 2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0 } } },
};

int mountd_confine(struct diag *d)
{
	static const struct rlimit no_core = { 0, 0 }, few_files = { 32, 32 };
	int r;

	if (setrlimit(RLIMIT_CORE, &no_core) < 0 || setrlimit(RLIMIT_NOFILE, &few_files) < 0 ||
		prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return diag_errno(d, -errno, "cannot set limits");
	confine_bounding(CAP_SYS_ADMIN);
	r = confine_capabilities(CAP_SYS_ADMIN);
	if (r < 0)
		return diag_errno(d, r, "cannot keep CAP_SYS_ADMIN alone (it takes root)");
	r = confine_calls(allowed, ARRAY_SIZE(allowed), allowed_without, ARRAY_SIZE(allowed_without));
	return r < 0 ? diag_errno(d, r, "cannot confine the system calls") : 0;
}
