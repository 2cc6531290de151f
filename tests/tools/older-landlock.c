// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * older-landlock ABI PROGRAM [ARG…]: runs it as if the kernel's Landlock were an older one (0: none): that ABI
 * is what it is told, and rules on anything younger are refused as such a kernel would. What is allowed is
 * the kernel's own: rules that name less are enforced as they always were. For root, or who has no new
 * privileges to gain.
 */
#include "prim/attr.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define VERSION 1U
#define HANDED	100	/* where the program's side leaves the listener */

/* What each ABI knows of struct landlock_ruleset_attr (Documentation/userspace-api/landlock.rst). */
static const struct {
	unsigned files, ports, scopes;
	size_t size;
} known[] = {
	{ 0, 0, 0, 0 }, { 13, 0, 0, 8 }, { 14, 0, 0, 8 }, { 15, 0, 0, 8 },
	{ 15, 2, 0, 16 }, { 16, 2, 0, 16 }, { 16, 2, 2, 24 },
};

static int filter(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_landlock_create_ruleset, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { ARRAY_SIZE(code), code };

	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
			    &program);
}

static int refusal(int abi, pid_t pid, const struct seccomp_data *call)
{
	uint64_t attr[3] = { 0 };
	size_t size = call->args[1] < sizeof(attr) ? (size_t)call->args[1] : sizeof(attr);
	struct iovec to = { attr, size }, from = { (void *)(uintptr_t)call->args[0], size };

	if (abi == 0)
		return -EOPNOTSUPP;
	if (process_vm_readv(pid, &to, 1, &from, 1, 0) != (ssize_t)size)
		return -EFAULT;
	for (size_t i = known[abi].size / sizeof(*attr); i < ARRAY_SIZE(attr); i++)
		if (attr[i])
			return -E2BIG;
	return attr[0] >> known[abi].files || attr[1] >> known[abi].ports ||
		attr[2] >> known[abi].scopes ? -EINVAL : 0;
}

static void answer(int listener, int abi)
{
	struct seccomp_notif n = { 0 };
	struct seccomp_notif_resp r = { 0 };

	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &n) < 0)
		return;
	r.id = n.id;
	if (abi > 0 && n.data.args[2] == VERSION)
		r.val = abi;
	else
		r.error = refusal(abi, (pid_t)n.pid, &n.data);
	if (!r.val && !r.error)
		r.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &r);
}

/* Until the program is gone; what it leaves behind finds no Landlock at all. */
static int serve(pid_t pid, int abi)
{
	int child = pidfd_open(pid, 0), listener = -1, status;
	struct pollfd p[2] = { { child, POLLIN, 0 } };

	/* It stops itself when the listener is there. */
	if (child < 0 || waitpid(pid, &status, WUNTRACED) != pid || !WIFSTOPPED(status))
		return 125;
	listener = pidfd_getfd(child, HANDED, 0);
	kill(pid, SIGCONT);
	if (listener < 0) {
		perror("older-landlock: pidfd_getfd");
		kill(pid, SIGKILL);
	}
	p[1] = (struct pollfd){ listener, POLLIN, 0 };
	while (poll(p, 2, -1) >= 0 && !p[0].revents)
		if (p[1].revents & POLLIN)
			answer(listener, abi);
	if (waitpid(pid, &status, 0) != pid)
		return 125;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int argc, char **argv)
{
	int abi = argc > 2 ? (int)strtol(argv[1], NULL, 10) : -1, fd;
	pid_t pid;

	if (abi < 0 || abi >= (int)ARRAY_SIZE(known))
		return 2;
	pid = fork();
	if (pid != 0)
		return pid < 0 ? 125 : serve(pid, abi);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (geteuid() != 0)
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	fd = filter();
	if (fd < 0 || dup2(fd, HANDED) < 0) {
		perror("older-landlock: seccomp");
		_exit(125);
	}
	close(fd);
	raise(SIGSTOP);
	close(HANDED);
	execvp(argv[2], argv + 2);
	perror(argv[2]);
	_exit(127);
}
