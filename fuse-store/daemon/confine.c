// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the server gives up once it has its mount: it reads bytes that packages chose (trees, packs),
 * so a flaw in that reading must lead nowhere. Capabilities are refused or the server stops;
 * Landlock is a second wall and is left out where the kernel has none.
 */
#include "server.h"

#include "base/fd.h"
#include "prim/err.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

/* All of ABI 1; the later rights' bits by their number, as older headers lack the names. */
#define FS_ABI1	   ((1ull << 13) - 1)
#define FS_REFER   (1ull << 13)
#define FS_TRUNCATE (1ull << 14)
#define FS_IOCTL   (1ull << 15)
#define NET_TCP	   3ull	/* bind, connect */
#define SCOPES	   3ull	/* abstract sockets, signals */

struct ruleset {
	uint64_t fs, net, scoped;
};

static struct ruleset ruleset_for(long abi)
{
	struct ruleset r = { .fs = FS_ABI1 };

	r.fs |= abi >= 2 ? FS_REFER : 0;
	r.fs |= abi >= 3 ? FS_TRUNCATE : 0;
	r.net = abi >= 4 ? NET_TCP : 0;
	r.fs |= abi >= 5 ? FS_IOCTL : 0;
	r.scoped = abi >= 6 ? SCOPES : 0;
	return r;
}

/* Only the store can be opened from here on, only for reading. What has to be written (the index's
 * lock file, the list of damage, the log) is open already. */
static int confine_files(struct server *s, struct diag *d)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	struct ruleset rules = ruleset_for(abi);
	struct landlock_path_beneath_attr beneath = {
		.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR,
	};
	_cleanup_fd_ int set = -1, store = -1;

	if (abi < 1) {
		fprintf(stderr, "this kernel has no Landlock: file access is not confined\n");
		return 0;
	}
	store = openat(s->home_fd, "store", O_PATH | O_DIRECTORY | O_CLOEXEC);
	set = (int)syscall(SYS_landlock_create_ruleset, &rules,
		abi >= 6 ? sizeof(rules) : abi >= 4 ? sizeof(uint64_t) * 2 : sizeof(uint64_t), 0);
	beneath.parent_fd = store;
	if (store < 0 || set < 0 ||
		syscall(SYS_landlock_add_rule, set, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0) < 0 ||
		syscall(SYS_landlock_restrict_self, set, 0) < 0)
		return diag_errno(d, -errno, "cannot confine the server to the store");
	return 0;
}

static int drop_capabilities(struct diag *d)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { 0 };

	for (int cap = 0; cap <= 63; cap++)
		(void)prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (syscall(SYS_capset, &header, none) < 0)
		return diag_errno(d, -errno, "cannot give up the server's capabilities");
	return 0;
}

/* What the workers, the door, the store's reader and the C library's threads need. No execve, no
 * socket, no ptrace, no mount. */
static const int allowed[] = {
	SCMP_SYS(accept4), SCMP_SYS(brk), SCMP_SYS(clock_gettime), SCMP_SYS(clock_nanosleep),
	SCMP_SYS(close), SCMP_SYS(eventfd2), SCMP_SYS(exit),
	SCMP_SYS(exit_group), SCMP_SYS(fadvise64), SCMP_SYS(fcntl), SCMP_SYS(fstat), SCMP_SYS(fstatfs),
	SCMP_SYS(futex), SCMP_SYS(getpid), SCMP_SYS(getrandom),
	SCMP_SYS(getsockopt), SCMP_SYS(gettid), SCMP_SYS(gettimeofday), SCMP_SYS(io_uring_enter),
	SCMP_SYS(io_uring_register), SCMP_SYS(lseek),
	SCMP_SYS(madvise), SCMP_SYS(mmap), SCMP_SYS(mprotect), SCMP_SYS(mremap), SCMP_SYS(msync),
	SCMP_SYS(munmap), SCMP_SYS(nanosleep), SCMP_SYS(newfstatat), SCMP_SYS(openat),
	SCMP_SYS(openat2), SCMP_SYS(pipe2), SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(pread64),
	SCMP_SYS(preadv), SCMP_SYS(preadv2), SCMP_SYS(read),
	SCMP_SYS(readahead), SCMP_SYS(readv), SCMP_SYS(recvfrom),
	SCMP_SYS(recvmsg), SCMP_SYS(restart_syscall), SCMP_SYS(rseq), SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(sched_yield),
	SCMP_SYS(sched_getaffinity), SCMP_SYS(sched_setaffinity), SCMP_SYS(sendmsg), SCMP_SYS(set_robust_list),
	SCMP_SYS(sigaltstack), SCMP_SYS(splice), SCMP_SYS(statx), SCMP_SYS(tgkill), SCMP_SYS(write),
	SCMP_SYS(writev),
};

/* Threads, and no namespaces. */
#define NAMESPACES (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | \
	CLONE_NEWNET)

static _unused_ int allow_threads(scmp_filter_ctx ctx)
{
	int r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
		SCMP_A0(SCMP_CMP_MASKED_EQ, NAMESPACES, 0));

	/* Its flags are in memory, where a filter cannot see them; the C library falls back to clone. */
	return r < 0 ? r : seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
}

static _unused_ int confine_calls(struct diag *d)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int r = ctx ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(allowed); i++)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, allowed[i], 0);
	if (r == 0)
		r = allow_threads(ctx);
	if (r == 0)
		r = seccomp_load(ctx);
	seccomp_release(ctx);
	return r < 0 ? diag_errno(d, r, "cannot confine the server's system calls") : 0;
}

int server_confine(struct server *s, struct diag *d)
{
	struct rlimit files;
	int r;

	/* Every pack that is read from stays open. */
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return diag_errno(d, -errno, "cannot give up new privileges");
	r = confine_files(s, d);
	if (r == 0)
		r = drop_capabilities(d);
#if defined(__SANITIZE_ADDRESS__)
	return r;	/* its run time needs calls that the server itself does not */
#else
	return r == 0 ? confine_calls(d) : r;
#endif
}
