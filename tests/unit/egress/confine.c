// SPDX-License-Identifier: GPL-2.0-or-later
/* What is left to a helper that was taken over. Each deed first succeeds before it is confined. */
#include "egress.h"

#include "../scratch.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <netdb.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

#if defined(__SANITIZE_ADDRESS__)
#define FILTERED false
#else
#define FILTERED true
#endif

static struct sockaddr_un bus;
static int log_fd = -1;

/* main.c's, for log.c */
uint64_t now_ms(void)
{
	return 1;
}

static bool has_socket(int family, int type, int protocol)
{
	_cleanup_fd_ int fd = socket(family, type, protocol);

	return fd >= 0;
}

static bool speaks_to_bus(void)
{
	_cleanup_fd_ int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	return fd >= 0 && connect(fd, (struct sockaddr *)&bus, sizeof(bus)) == 0;
}

/* Half a pair of datagrams goes to another's path. */
static bool pairs_with_bus(void)
{
	int pair[2];

	return socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == 0;
}

static bool asks_about_sockets(void)
{
	return has_socket(AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG);
}

static bool listens_to_hotplug(void)
{
	return has_socket(AF_NETLINK, SOCK_RAW, NETLINK_KOBJECT_UEVENT);
}

static bool makes_a_namespace(void)
{
	pid_t pid = (pid_t)syscall(SYS_clone, CLONE_NEWUSER | CLONE_NEWNET | SIGCHLD, NULL, NULL, NULL, NULL);

	if (pid == 0)
		_exit(0);
	return pid > 0 && waitpid(pid, NULL, 0) == pid;
}

static bool reads_a_file(void)
{
	_cleanup_fd_ int fd = open("/proc/self/status", O_RDONLY);

	return fd >= 0;
}

static bool floods_its_log(void)
{
	static const char much[1 << 20];
	bool all = true;

	for (int i = 0; i < 17 && all; i++)
		all = write(log_fd, much, sizeof(much)) == sizeof(much);
	return all;
}

static bool signals_its_parent(void)
{
	return kill(getppid(), 0) == 0;
}

static bool resolves(void)
{
	struct addrinfo *all = NULL;

	if (getaddrinfo("localhost", NULL, NULL, &all) != 0)
		return false;
	freeaddrinfo(all);
	return true;
}

static bool dials(void)
{
	return has_socket(AF_INET, SOCK_STREAM, 0) && has_socket(AF_INET6, SOCK_STREAM, 0) &&
		has_socket(AF_INET, SOCK_DGRAM, 0);
}

static bool has_memory(void)
{
	_cleanup_free_ void *p = malloc(1 << 20);

	return p != NULL;
}

static bool pairs(void)
{
	int pair[2];

	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) == 0;
}

static bool forks(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return pid > 0;
}

/* Of a process that moves bytes, with a link that the one before made. */
static bool worker(bool (*deed)(void))
{
	return confine_worker(10) == 0 && deed();
}

static bool worker_pairs(void) { return worker(pairs); }
static bool worker_forks(void) { return worker(forks); }
static bool worker_dials(void) { return worker(dials); }
static bool worker_lives(void) { return worker(has_memory); }

static bool after(bool (*deed)(void))
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		struct egress e = { .log.fd = log_fd };

		_exit(confine(&e) < 0 ? 2 : deed() ? 1 : 0);
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert(WIFEXITED(status) && WEXITSTATUS(status) < 2, "%x", (unsigned)status);
	return WEXITSTATUS(status) == 1;
}

Test(confine, what_it_may_not_do)
{
	static const struct {
		const char *name;
		bool (*deed)(void);
		bool by_filter;
	} deeds[] = {
		{ "a session bus", speaks_to_bus, true }, { "a datagram to one", pairs_with_bus, true },
		{ "others' connections", asks_about_sockets, true }, { "the host's devices", listens_to_hotplug, true },
		{ "a namespace", makes_a_namespace, true },
		{ "files", reads_a_file, false }, { "a full disk", floods_its_log, false }, { "signals", signals_its_parent, false },
	};
	struct scratch dir = scratch_new();
	_cleanup_fd_ int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	log_fd = openat(dir.fd, "log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	cr_assert_geq(log_fd, 0);
	bus.sun_family = AF_UNIX;
	snprintf(bus.sun_path, sizeof(bus.sun_path), "%s/bus", dir.path);
	cr_assert_eq(bind(fd, (struct sockaddr *)&bus, sizeof(bus)), 0);
	cr_assert_eq(listen(fd, 9), 0);
	cr_assert_eq(chmod(dir.path, 0755), 0);
	cr_assert_eq(chmod(bus.sun_path, 0777), 0);
	for (size_t i = 0; i < ARRAY_SIZE(deeds); i++) {
		cr_expect(deeds[i].deed(), "%s: before", deeds[i].name);
		if (FILTERED || !deeds[i].by_filter)
			cr_expect_not(after(deeds[i].deed), "%s", deeds[i].name);
	}
	close(log_fd);
	scratch_done(&dir);
}

Test(confine, what_it_needs)
{
	/* Without the file nobody knows localhost. */
	if (access("/etc/hosts", F_OK) == 0)
		cr_expect(after(resolves));
	cr_expect(after(dials));
	cr_expect(after(pairs), "a link to a process of its own");
	cr_expect(after(forks));
}

Test(confine, who_moves_bytes)
{
	cr_expect(after(worker_lives));
	if (!FILTERED)
		return;
	cr_expect_not(after(worker_dials));
	cr_expect_not(after(worker_pairs));
	cr_expect_not(after(worker_forks));
}
