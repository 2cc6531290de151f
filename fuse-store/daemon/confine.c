// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the server gives up once it has its mount: it reads bytes that packages chose (trees, packs),
 * so a flaw in that reading must lead nowhere. Capabilities are refused or the server stops;
 * Landlock is a second wall and is left out where the kernel has none.
 */
#include "server.h"

#include "base/fd.h"
#include "confine/confine.h"
#include "confine/landlock.h"
#include "prim/err.h"

#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>

/* Only the store can be opened from here on, only for reading. What has to be written (the index's
 * lock file, the list of damage, the log) is open already. */
static int confine_files(struct server *s, struct diag *d)
{
	int abi = landlock_abi();
	const struct landlock_handled all = landlock_everything(abi);
	_cleanup_fd_ int set = -1, store = -1;
	int r;

	if (abi < 1) {
		fprintf(stderr, "this kernel has no Landlock: file access is not confined\n");
		return 0;
	}
	store = openat(s->home_fd, "store", O_PATH | O_DIRECTORY | O_CLOEXEC);
	r = set = store < 0 ? -errno : landlock_new(&all);
	if (r >= 0)
		r = landlock_allow_below(set, store, LANDLOCK_FILE_READ | LANDLOCK_FILE_LIST);
	if (r == 0)
		r = landlock_restrict(set);
	return r < 0 ? diag_errno(d, r, "cannot confine the server to the store") : 0;
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

static const struct confine_narrow threads = CONFINE_CLONE;

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
	if (r < 0)
		return r;
	confine_bounding(CONFINE_NO_CAPABILITY);
	r = confine_capabilities(CONFINE_NO_CAPABILITY);
	if (r < 0)
		return diag_errno(d, r, "cannot give up the server's capabilities");
	r = confine_calls(allowed, ARRAY_SIZE(allowed), &threads, 1);
	return r < 0 ? diag_errno(d, r, "cannot confine the server's system calls") : 0;
}
