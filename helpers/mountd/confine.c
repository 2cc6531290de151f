// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the service gives up before it hears anybody, however it was started; its systemd unit says the
 * same from outside. CAP_SYS_ADMIN stays, as mounting takes it, so the list of system calls is what
 * keeps it to mounting.
 */
#include "mountd.h"

#include <errno.h>
#include <linux/capability.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CAP_LAST 63

static int keep_one_capability(struct diag *d)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };

	_Static_assert(CAP_SYS_ADMIN < 32, "the first word has it");
	for (int cap = 0; cap <= CAP_LAST; cap++)
		if (cap != CAP_SYS_ADMIN)
			(void)prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	data[0].permitted = data[0].effective = 1u << CAP_SYS_ADMIN;
	if (syscall(SYS_capset, &header, data) < 0)
		return diag_errno(d, -errno, "cannot keep CAP_SYS_ADMIN alone (it takes root)");
	return 0;
}

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

/* Calls of which one argument has to be without these bits: no namespaces (clone3's flags a filter cannot
 * see), no memory to execute. */
static const struct {
	int call;
	unsigned argument;
	uint64_t without;
} allowed_without[] = {
	{ SCMP_SYS(clone), 0, CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |
		CLONE_NEWPID | CLONE_NEWNET },
	{ SCMP_SYS(mmap), 2, PROT_EXEC },
};

static _unused_ int confine_calls(struct diag *d)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int r = ctx ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(allowed); i++)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, allowed[i], 0);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(allowed_without); i++)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, allowed_without[i].call, 1,
			SCMP_CMP(allowed_without[i].argument, SCMP_CMP_MASKED_EQ, allowed_without[i].without, 0));
	if (r == 0)
		r = seccomp_load(ctx);
	seccomp_release(ctx);
	return r < 0 ? diag_errno(d, r, "cannot confine the system calls") : 0;
}

int mountd_confine(struct diag *d)
{
	static const struct rlimit no_core = { 0, 0 }, few_files = { 32, 32 };
	int r;

	if (setrlimit(RLIMIT_CORE, &no_core) < 0 || setrlimit(RLIMIT_NOFILE, &few_files) < 0 ||
		prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return diag_errno(d, -errno, "cannot set limits");
	r = keep_one_capability(d);
#if defined(__SANITIZE_ADDRESS__)
	return r;	/* its run time needs calls that the service itself does not */
#else
	return r == 0 ? confine_calls(d) : r;
#endif
}
