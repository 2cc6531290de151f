// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the helper gives up before it hears a byte of the container's: it needs sockets, and files only to
 * resolve names. Capabilities and the filter are given up or it ends; Landlock is left out where the kernel
 * has none. It has no way to run a program.
 */
#include "egress.h"

#include <asm/ioctls.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#define NOBODY 65534

/* All of ABI 1; the later rights' bits by their number, as older headers lack the names. */
#define FS_ABI1	    ((1ull << 13) - 1)
#define FS_REFER    (1ull << 13)
#define FS_TRUNCATE (1ull << 14)
#define FS_IOCTL    (1ull << 15)
#define NET_BIND    1ull
#define SCOPES	     3ull	/* abstract sockets, signals */

struct ruleset {
	uint64_t fs, net, scoped;
};

/* What getaddrinfo reads: its configuration, whose files are replaced while we live, and its modules. */
static const char *const readable[] = { "/etc", "/lib", "/lib64", "/usr/lib", "/usr/lib64",
	"/run/systemd/resolve", "/run/resolvconf", "/run/NetworkManager", "/run/connman",
	"/var/lib/misc", "/usr/share/zoneinfo" };

static int allow(int set, const char *path)
{
	struct landlock_path_beneath_attr beneath = {
		.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR };
	_cleanup_fd_ int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return 0;
	beneath.parent_fd = fd;
	return syscall(SYS_landlock_add_rule, set, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0) < 0 ? -errno : 0;
}

static int confine_files(void)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	struct ruleset rules = { .fs = FS_ABI1 };
	_cleanup_fd_ int set = -1;
	int r = 0;

	if (abi < 1)
		return 0;
	rules.fs |= abi >= 2 ? FS_REFER : 0;
	rules.fs |= abi >= 3 ? FS_TRUNCATE : 0;
	rules.net = abi >= 4 ? NET_BIND : 0;
	rules.fs |= abi >= 5 ? FS_IOCTL : 0;
	rules.scoped = abi >= 6 ? SCOPES : 0;
	set = (int)syscall(SYS_landlock_create_ruleset, &rules,
		abi >= 6 ? sizeof(rules) : abi >= 4 ? sizeof(uint64_t) * 2 : sizeof(uint64_t), 0);
	if (set < 0)
		return -errno;
	for (size_t i = 0; i < ARRAY_SIZE(readable) && r == 0; i++)
		r = allow(set, readable[i]);
	if (r == 0 && syscall(SYS_landlock_restrict_self, set, 0) < 0)
		r = -errno;
	return r;
}

/* While it may: an ordinary user may not, and has nothing there that an exec could give. */
static void drop_bounding(void)
{
	for (int cap = 0; cap <= 63 && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == 0; cap++)
		;
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

static int drop_capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { 0 };

	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	return syscall(SYS_capset, &header, none) < 0 ? -errno : 0;
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

/* Calls of which arguments are bounded. */
struct narrow {
	int call;
	unsigned n;
	struct scmp_arg_cmp arguments[3];
};
#define IS(argument, value) { argument, SCMP_CMP_EQ, (scmp_datum_t)(value), 0 }
#define MASKED(argument, mask, value) { argument, SCMP_CMP_MASKED_EQ, mask, (scmp_datum_t)(value) }
#define SOCKET(family, type, protocol) \
	{ SCMP_SYS(socket), 3, { IS(0, family), MASKED(1, 15, type), IS(2, protocol) } }
#define DIALS(family) SOCKET(family, SOCK_STREAM, 0), SOCKET(family, SOCK_STREAM, IPPROTO_TCP), \
	SOCKET(family, SOCK_DGRAM, 0), SOCKET(family, SOCK_DGRAM, IPPROTO_UDP)
#define NAMESPACES (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | \
	CLONE_NEWNET)
#define NARROW(call, argument, value) { SCMP_SYS(call), 1, { IS(argument, value) } }

/* To dial, to ask name servers, to see which families the host has. No unix sockets, whose paths Landlock does
 * not watch: a session bus starts programs for who connects. Name services that are asked through one (nscd,
 * systemd-resolved, Avahi) give way to files and DNS. Nor a namespace, in which it would have capabilities to
 * try on the kernel. The rest is for the processes that it makes, which give
 * up more; a pair of this type is connected for good. */
static const struct narrow allowed_narrowly[] = {
	DIALS(AF_INET), DIALS(AF_INET6), SOCKET(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE),
	{ SCMP_SYS(clone), 1, { MASKED(0, NAMESPACES, 0) } },
	{ SCMP_SYS(socketpair), 2, { IS(0, AF_UNIX), IS(1, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK) } },
	NARROW(prctl, 0, PR_SET_PDEATHSIG), NARROW(prctl, 0, PR_SET_NO_NEW_PRIVS), NARROW(close_range, 2, 0),
	NARROW(prlimit64, 0, 0),
	NARROW(seccomp, 0, SECCOMP_SET_MODE_FILTER),
};

static int confine_calls(const int *calls, size_t n, const struct narrow *narrow, size_t nnarrow)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int r = ctx ? 0 : -ENOMEM;

	/* Its flags are in memory, where a filter cannot see them; the C library falls back to clone. */
	if (r == 0)
		r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, calls[i], 0);
	for (size_t i = 0; r == 0 && i < nnarrow; i++)
		r = seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, narrow[i].call, narrow[i].n,
			narrow[i].arguments);
	if (r == 0)
		r = seccomp_load(ctx);
	seccomp_release(ctx);
	return r;
}

/* A sanitizer's run time needs calls that the helper itself does not. */
#if defined(__SANITIZE_ADDRESS__)
#define FILTERED false
#else
#define FILTERED true
#endif
#define FILTER(calls, narrow) \
	(FILTERED ? confine_calls(calls, ARRAY_SIZE(calls), narrow, ARRAY_SIZE(narrow)) : 0)

int confine(struct egress *e)
{
	int r;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return -errno;
	r = log_bound(&e->log);
	drop_bounding();
	if (r == 0)
		r = drop_root();
	if (r == 0)
		r = confine_files();
	if (r == 0)
		r = drop_capabilities();
	return r == 0 ? FILTER(allowed, allowed_narrowly) : r;
}

int confine_inside(int link)
{
	static const int few[] = { SCMP_SYS(close), SCMP_SYS(exit_group), SCMP_SYS(recvfrom),
		SCMP_SYS(sendmsg) };
	static const struct narrow narrow[] = { SOCKET(AF_INET, SOCK_STREAM, 0) };
	int r = 0;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return -errno;
	if (syscall(SYS_close_range, 0, (unsigned)link - 1, 0) < 0 ||
		syscall(SYS_close_range, (unsigned)link + 1, ~0u, 0) < 0)
		return -errno;
	drop_bounding();
	r = drop_capabilities();
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
	static const struct narrow narrow[] = { NARROW(fcntl, 1, F_SETPIPE_SZ),
		NARROW(setsockopt, 2, SO_LINGER), NARROW(getsockopt, 2, TCP_INFO), NARROW(ioctl, 1, SIOCOUTQ),
		NARROW(sendto, 4, 0) };

	if (syscall(SYS_close_range, STDERR_FILENO + 1, (unsigned)link - 1, 0) < 0 ||
		syscall(SYS_close_range, (unsigned)link + 1, ~0u, 0) < 0)
		return -errno;
	return FILTER(few, narrow);
}
