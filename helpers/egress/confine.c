// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the helper gives up before it hears a byte of the container's: it needs sockets, and files only to
 * resolve names. Capabilities and the filter are given up or it ends; Landlock is left out where the kernel
 * has none. It has no way to run a program.
 */
#include "egress.h"

#include "confine/confine.h"
#include "confine/landlock.h"

#include <asm/ioctls.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#define NOBODY 65534

/* What getaddrinfo reads: its configuration, whose files are replaced while we live, and its modules. */
static const char *const readable[] = { "/etc", "/lib", "/lib64", "/usr/lib", "/usr/lib64",
	"/run/systemd/resolve", "/run/resolvconf", "/run/NetworkManager", "/run/connman",
	"/var/lib/misc", "/usr/share/zoneinfo" };

static int allow(int set, const char *path)
{
	_cleanup_fd_ int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? 0 : landlock_allow_below(set, fd, LANDLOCK_FILE_READ | LANDLOCK_FILE_LIST);
}

static int confine_files(void)
{
	int abi = landlock_abi(), r = 0;
	struct landlock_handled all = landlock_everything(abi);
	_cleanup_fd_ int set = -1;

	if (abi < 1)
		return 0;
	all.tcp &= LANDLOCK_TCP_BIND;
	set = landlock_new(&all);
	if (set < 0)
		return set;
	for (size_t i = 0; i < ARRAY_SIZE(readable) && r == 0; i++)
		r = allow(set, readable[i]);
	return r < 0 ? r : landlock_restrict(set);
}

/* Root's files are root's: who began as root goes on as nobody. */
static int drop_root(void)
{
	if (geteuid() != 0)
		return 0;
	if (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 ||
		setresuid(NOBODY, NOBODY, NOBODY) < 0)
		/* In a user namespace with one id there is no other to become. */
		return errno == EINVAL || errno == EPERM ? 0 : -errno;
	return 0;
}

/* The loop, sockets, the C library's threads, and what its resolver does with files. */
static const int allowed[] = {
	SCMP_SYS(accept4), SCMP_SYS(access), SCMP_SYS(bind), SCMP_SYS(brk), SCMP_SYS(clock_gettime),
	SCMP_SYS(clock_nanosleep), SCMP_SYS(close), SCMP_SYS(connect),
	SCMP_SYS(dup), SCMP_SYS(epoll_create1), SCMP_SYS(epoll_ctl), SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_wait),
	SCMP_SYS(eventfd2), SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(faccessat),
	SCMP_SYS(faccessat2), SCMP_SYS(fcntl), SCMP_SYS(fstat), SCMP_SYS(fstatfs), SCMP_SYS(futex),
	SCMP_SYS(getcwd), SCMP_SYS(getdents64), SCMP_SYS(getegid), SCMP_SYS(geteuid), SCMP_SYS(getgid),
	SCMP_SYS(getpeername), SCMP_SYS(getpid), SCMP_SYS(getppid), SCMP_SYS(getrandom),
	SCMP_SYS(getsockname), SCMP_SYS(getsockopt), SCMP_SYS(gettid), SCMP_SYS(gettimeofday),
	SCMP_SYS(getuid), SCMP_SYS(lseek), SCMP_SYS(madvise), SCMP_SYS(mmap), SCMP_SYS(mprotect),
	SCMP_SYS(mremap), SCMP_SYS(munmap), SCMP_SYS(nanosleep), SCMP_SYS(newfstatat), SCMP_SYS(open),
	SCMP_SYS(openat), SCMP_SYS(pipe2), SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(pread64),
	SCMP_SYS(read), SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(readv),
	SCMP_SYS(recvfrom), SCMP_SYS(recvmmsg), SCMP_SYS(recvmsg), SCMP_SYS(restart_syscall),
	SCMP_SYS(rseq), SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn),
	SCMP_SYS(sched_getaffinity), SCMP_SYS(sched_yield), SCMP_SYS(sendmmsg), SCMP_SYS(sendmsg),
	SCMP_SYS(sendto), SCMP_SYS(set_robust_list), SCMP_SYS(setsockopt), SCMP_SYS(shutdown),
	SCMP_SYS(sigaltstack), SCMP_SYS(splice), SCMP_SYS(stat), SCMP_SYS(statx), SCMP_SYS(sysinfo),
	SCMP_SYS(tgkill), SCMP_SYS(uname), SCMP_SYS(write), SCMP_SYS(writev),
};

#define IS(argument, value) { argument, SCMP_CMP_EQ, (scmp_datum_t)(value), 0 }
#define MASKED(argument, mask, value) { argument, SCMP_CMP_MASKED_EQ, mask, (scmp_datum_t)(value) }
#define SOCKET(family, type, protocol) \
	{ SCMP_SYS(socket), 3, { IS(0, family), MASKED(1, 15, type), IS(2, protocol) } }
#define DIALS(family) SOCKET(family, SOCK_STREAM, 0), SOCKET(family, SOCK_STREAM, IPPROTO_TCP), \
	SOCKET(family, SOCK_DGRAM, 0), SOCKET(family, SOCK_DGRAM, IPPROTO_UDP)
#define NARROW(call, argument, value) { SCMP_SYS(call), 1, { IS(argument, value) } }

/* To dial, to ask name servers, to see which families the host has. No unix sockets, whose paths Landlock does
 * not watch: a session bus starts programs for who connects. Name services that are asked through one (nscd,
 * systemd-resolved, Avahi) give way to files and DNS. Nor a namespace, in which it would have capabilities to
 * try on the kernel. The rest is for the processes that it makes, which give
 * up more; a pair of this type is connected for good. */
static const struct confine_narrow allowed_narrowly[] = {
	DIALS(AF_INET), DIALS(AF_INET6), SOCKET(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE),
	CONFINE_CLONE,
	{ SCMP_SYS(socketpair), 2, { IS(0, AF_UNIX), IS(1, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK) } },
	NARROW(prctl, 0, PR_SET_PDEATHSIG), NARROW(prctl, 0, PR_SET_NO_NEW_PRIVS), NARROW(close_range, 2, 0),
	NARROW(prlimit64, 0, 0),
	NARROW(seccomp, 0, SECCOMP_SET_MODE_FILTER),
};

#define FILTER(calls, narrow) confine_calls(calls, ARRAY_SIZE(calls), narrow, ARRAY_SIZE(narrow))

int confine(struct egress *e)
{
	int r;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return -errno;
	r = log_bound(&e->log);
	confine_bounding(CONFINE_NO_CAPABILITY);
	if (r == 0)
		r = drop_root();
	if (r == 0)
		r = confine_files();
	if (r == 0)
		r = confine_capabilities(CONFINE_NO_CAPABILITY);
	return r == 0 ? FILTER(allowed, allowed_narrowly) : r;
}

int confine_inside(int link)
{
	static const int few[] = { SCMP_SYS(close), SCMP_SYS(exit_group), SCMP_SYS(recvfrom),
		SCMP_SYS(sendmsg) };
	static const struct confine_narrow narrow[] = { SOCKET(AF_INET, SOCK_STREAM, 0) };
	int r = 0;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return -errno;
	if (syscall(SYS_close_range, 0, (unsigned)link - 1, 0) < 0 ||
		syscall(SYS_close_range, (unsigned)link + 1, ~0u, 0) < 0)
		return -errno;
	confine_bounding(CONFINE_NO_CAPABILITY);
	r = confine_capabilities(CONFINE_NO_CAPABILITY);
	return r == 0 ? FILTER(few, narrow) : r;
}

/* No capability and no file is left from before. It cannot even make a socket: what it says goes through
 * splice(), from one that it was given to another. */
int confine_worker(int link)
{
	static const int few[] = { SCMP_SYS(brk), SCMP_SYS(clock_gettime), SCMP_SYS(close), SCMP_SYS(dup),
		SCMP_SYS(epoll_create1), SCMP_SYS(epoll_ctl), SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_wait),
		SCMP_SYS(exit_group), SCMP_SYS(futex), SCMP_SYS(getrandom), SCMP_SYS(madvise), SCMP_SYS(mmap),
		SCMP_SYS(mremap), SCMP_SYS(munmap), SCMP_SYS(pipe2), SCMP_SYS(recvfrom), SCMP_SYS(recvmsg),
		SCMP_SYS(restart_syscall), SCMP_SYS(rt_sigreturn), SCMP_SYS(shutdown), SCMP_SYS(splice),
		SCMP_SYS(write) };
	static const struct confine_narrow narrow[] = { NARROW(fcntl, 1, F_SETPIPE_SZ),
		NARROW(setsockopt, 2, SO_LINGER), NARROW(getsockopt, 2, TCP_INFO), NARROW(ioctl, 1, SIOCOUTQ),
		NARROW(sendto, 4, 0) };

	if (syscall(SYS_close_range, STDERR_FILENO + 1, (unsigned)link - 1, 0) < 0 ||
		syscall(SYS_close_range, (unsigned)link + 1, ~0u, 0) < 0)
		return -errno;
	return FILTER(few, narrow);
}
