// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * jail-tool [--free] [--store DIR] [--port N]... PROBE [ARG...]: enters the jail of the installation's
 * own process, or with --free does not, and then does what it is told. Whether that worked is judged
 * from outside, by a file, a listener or a victim; the exit status is only what the probe believes.
 *
 * jail-tool --without landlock|seccomp PROGRAM [ARG...]: runs a program where the call is forbidden,
 * as in many containers.
 */
#include "base/fd.h"
#include "engine/sandbox/jail.h"
#include "prim/err.h"
#include "prim/vec.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/io_uring.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>

static int lost(const char *what)
{
	perror(what);
	return 1;
}

static uint64_t number(const char *text)
{
	uint64_t v = 0;

	if (!text || str_u64(str_from(text), &v) < 0)
		exit(125);
	return v;
}

/* Files */

static int do_read(char **a)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	int r = file_slurp(AT_FDCWD, a[0], &b, 1 << 20);

	if (r < 0)
		return errno = -r, lost(a[0]);
	return fd_write_all(1, b.data, b.len) < 0;
}

static int do_create(char **a)
{
	int fd = open(a[0], O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	return fd < 0 ? lost(a[0]) : fd_write_all(fd, "x", 1) < 0;
}

static int do_append(char **a)
{
	int fd = open(a[0], O_WRONLY | O_APPEND | O_CLOEXEC);

	return fd < 0 ? lost(a[0]) : fd_write_all(fd, "x", 1) < 0;
}

static int do_rename(char **a)
{
	return rename(a[0], a[1]) < 0 ? lost(a[1]) : 0;
}

static int do_link(char **a)
{
	return link(a[0], a[1]) < 0 ? lost(a[1]) : 0;
}

static int do_remove(char **a)
{
	return unlink(a[0]) < 0 ? lost(a[0]) : 0;
}

static int do_chmod(char **a)
{
	return chmod(a[0], 0777) < 0 ? lost(a[0]) : 0;
}

static int do_touch(char **a)
{
	struct timespec then[2] = { { 1, 0 }, { 1, 0 } };

	return utimensat(AT_FDCWD, a[0], then, 0) < 0 ? lost(a[0]) : 0;
}

static int do_truncate(char **a)
{
	return truncate(a[0], 0) < 0 ? lost(a[0]) : 0;
}

/* Programs */

static int do_exec(char **a)
{
	execv(a[0], a);
	return lost(a[0]);
}

static int do_fork(char **a)
{
	int status = 0;
	pid_t pid = fork();

	if (pid < 0)
		return lost("fork");
	if (pid == 0)
		_exit(do_create(a));
	waitpid(pid, &status, 0);
	return WEXITSTATUS(status);
}

/* A program that never was a file: a copy of another in memory. */
static int do_memfd(char **a)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	int fd = (int)syscall(SYS_memfd_create, "x", 0);

	if (fd < 0)
		return lost("memfd_create");
	if (file_slurp(AT_FDCWD, a[0], &b, 1 << 26) < 0 || fd_write_all(fd, b.data, b.len) < 0)
		return lost(a[0]);
	syscall(SYS_execveat, fd, "", a, environ, AT_EMPTY_PATH);
	return lost("execveat");
}

static void *in_thread(void *data)
{
	return (void *)(intptr_t)do_create(data);
}

static int do_thread(char **a)
{
	pthread_t t;
	void *r;

	if (pthread_create(&t, NULL, in_thread, a) != 0)
		return lost("pthread_create");
	pthread_join(t, &r);
	return r != NULL;
}

/* Code that was data: it makes the file, if it runs. */
static int run_code(char *code, char **a)
{
	static const unsigned char give_42[] = {
#ifdef __x86_64__
		0xb8, 42, 0, 0, 0, 0xc3
#else
		0x40, 0x05, 0x80, 0x52, 0xc0, 0x03, 0x5f, 0xd6
#endif
	};
	int (*fn)(void) = (int (*)(void))(uintptr_t)code;

	memcpy(code, give_42, sizeof(give_42));
	__builtin___clear_cache(code, code + sizeof(give_42));
	if (a[1] && mprotect(code, 4096, PROT_READ | PROT_EXEC) < 0)
		return lost("mprotect");
	return fn() == 42 ? do_create(a) : 1;
}

static int do_code(char **a)
{
	char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE | (a[1] ? 0 : PROT_EXEC),
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? lost("mmap") : run_code(p, a);
}

/* Other processes */

static int do_kill(char **a)
{
	return kill((pid_t)number(a[0]), SIGKILL) < 0 ? lost("kill") : 0;
}

static int do_tgkill(char **a)
{
	pid_t pid = (pid_t)number(a[0]);

	return syscall(SYS_tgkill, pid, pid, SIGKILL) < 0 ? lost("tgkill") : 0;
}

static int do_trace(char **a)
{
	pid_t pid = (pid_t)number(a[0]);

	if (ptrace(PTRACE_SEIZE, pid, 0, PTRACE_O_EXITKILL) < 0)
		return lost("ptrace");
	return 0;		/* its end is the victim's */
}

static int do_mem(char **a)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%s/environ", a[0]);
	return do_read((char *[]){ path, NULL });
}

static int do_userns(char **a)
{
	return unshare(CLONE_NEWUSER) < 0 ? lost("unshare") : do_create(a);
}

/* The network */

static int dial(int protocol, int flags, char **a)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)number(a[0])),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, protocol);

	if (fd < 0)
		return lost("socket");
	if (flags)
		return sendto(fd, "x", 1, flags, (struct sockaddr *)&to, sizeof(to)) < 0 ?
			lost("sendto") : 0;
	return connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0 ? lost("connect") : 0;
}

static int do_connect(char **a)
{
	return dial(0, 0, a);
}

static int do_mptcp(char **a)
{
	return dial(262 /* IPPROTO_MPTCP */, 0, a);
}

static int do_fastopen(char **a)
{
	return dial(0, MSG_FASTOPEN, a);
}

static int do_listen(char **a)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)number(a[0])),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
			bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(fd, 1) < 0)
		return lost("listen");
	sleep(3);
	return 0;
}

static int do_abstract(char **a)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t n = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(a[0]));

	memcpy(to.sun_path + 1, a[0], MIN(strlen(a[0]), sizeof(to.sun_path) - 1));
	return fd < 0 || connect(fd, (struct sockaddr *)&to, n) < 0 ? lost("connect") : 0;
}

static struct sockaddr_un at_path(const char *path)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };

	memcpy(to.sun_path, path, MIN(strlen(path), sizeof(to.sun_path) - 1));
	return to;
}

static int do_unix(char **a)
{
	struct sockaddr_un to = at_path(a[0]);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0 ? lost("connect") : 0;
}

/* Half of a pair, taken to another address. */
static int do_pair(char **a)
{
	struct sockaddr_un to = at_path(a[0]);
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends) < 0)
		return lost("socketpair");
	return sendto(ends[0], "x", 1, 0, (struct sockaddr *)&to, sizeof(to)) < 0 ? lost("sendto") : 0;
}

/* A route, which only a capability can make: to a network for documentation. */
static int do_route(char **a)
{
	struct {
		struct nlmsghdr h;
		struct rtmsg m;
		struct rtattr d;
		uint32_t to;
	} q = {
		.h = { sizeof(q), RTM_NEWROUTE, NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE },
		.m = { .rtm_family = AF_INET, .rtm_dst_len = 32, .rtm_table = RT_TABLE_MAIN,
			.rtm_protocol = RTPROT_STATIC, .rtm_type = RTN_BLACKHOLE },
		.d = { sizeof(struct rtattr) + 4, RTA_DST },
		.to = htonl(0xc0000201),
	};
	struct {
		struct nlmsghdr h;
		struct nlmsgerr e;
	} reply = { 0 };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (fd < 0 || send(fd, &q, sizeof(q), 0) < 0 || recv(fd, &reply, sizeof(reply), 0) < 0)
		return lost("netlink");
	if (reply.e.error < 0)
		return errno = -reply.e.error, lost("route");
	return do_create(a);
}

/* Stays when its parent has gone. */
static int do_outlive(char **a)
{
	return prctl(PR_SET_PDEATHSIG, 0) < 0 ? lost("prctl") : do_create(a);
}

static int do_environment(char **a)
{
	return do_read((char *[]){ "/proc/self/environ", NULL });
}

static int do_socket(char **a)
{
	int fd = socket((int)number(a[0]), (int)number(a[1]), (int)number(a[2]));

	return fd < 0 ? lost("socket") : do_create(a + 3);
}

static int do_uring(char **a)
{
	struct io_uring_params p = { 0 };

	return syscall(SYS_io_uring_setup, 4, &p) < 0 ? lost("io_uring_setup") : do_create(a);
}

static const struct {
	const char *name;
	int arguments;
	int (*run)(char **a);
} probes[] = {
	{ "read", 1, do_read }, { "create", 1, do_create }, { "append", 1, do_append },
	{ "rename", 2, do_rename }, { "link", 2, do_link }, { "remove", 1, do_remove },
	{ "chmod", 1, do_chmod }, { "touch", 1, do_touch }, { "truncate", 1, do_truncate },
	{ "exec", 1, do_exec }, { "fork", 1, do_fork }, { "memfd", 1, do_memfd },
	{ "thread", 1, do_thread }, { "code", 1, do_code }, { "kill", 1, do_kill },
	{ "tgkill", 1, do_tgkill }, { "trace", 1, do_trace }, { "mem", 1, do_mem },
	{ "userns", 1, do_userns }, { "connect", 1, do_connect }, { "mptcp", 1, do_mptcp },
	{ "fastopen", 1, do_fastopen }, { "listen", 1, do_listen }, { "abstract", 1, do_abstract },
	{ "socket", 4, do_socket }, { "uring", 1, do_uring }, { "unix", 1, do_unix },
	{ "pair", 1, do_pair }, { "route", 1, do_route }, { "outlive", 1, do_outlive },
	{ "environment", 0, do_environment },
};

static int without(const char *what, char **program)
{
	bool landlock = strcmp(what, "landlock") == 0;
	unsigned call = landlock ? SYS_landlock_create_ruleset : SYS_seccomp;
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (landlock ? ENOSYS : EPERM)),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = { ARRAY_SIZE(code), code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
			prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) < 0)
		return lost("prctl");
	execvp(program[0], program);
	return lost(program[0]);
}

static void enter(const struct jail *j)
{
	_cleanup_diag_ struct diag d = DIAG_INIT;
	_cleanup_buf_ struct buf text = BUF_INIT;
	struct jail_report report;

	if (jail_enter(j, &report, &d) < 0) {
		fprintf(stderr, "jail-tool: %s\n", buf_text(&d.what));
		exit(125);
	}
	if (jail_describe(&report, &text) == 0)
		fprintf(stderr, "%s\n", buf_text(&text));
}

int main(int argc, char **argv)
{
	uint16_t ports[16];
	struct jail j = { .write = -1, .ports = ports };
	bool is_free = false;
	int at = 1;

	for (; at + 1 < argc && str_starts(str_from(argv[at]), STR("--")); at++) {
		if (strcmp(argv[at], "--without") == 0 && at + 2 < argc)
			return without(argv[at + 1], argv + at + 2);
		if (strcmp(argv[at], "--free") == 0)
			is_free = true;
		else if (strcmp(argv[at], "--store") == 0)
			j.write = open(argv[++at], O_PATH | O_DIRECTORY | O_CLOEXEC);
		else if (strcmp(argv[at], "--port") == 0 && j.nports < ARRAY_SIZE(ports))
			ports[j.nports++] = (uint16_t)number(argv[++at]);
	}
	for (size_t p = 0; at < argc && p < ARRAY_SIZE(probes); p++)
		if (strcmp(probes[p].name, argv[at]) == 0 && argc - at > probes[p].arguments) {
			if (!is_free)
				enter(&j);
			return probes[p].run(argv + at + 1);
		}
	return 125;
}
