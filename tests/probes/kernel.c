// SPDX-License-Identifier: GPL-2.0-or-later
/* Interfaces of the kernel. What is won is held, so that the runner sees it in /proc. */
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <linux/perf_event.h>
#include <linux/userfaultfd.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <linux/io_uring.h>
#include <unistd.h>

/* TOKEN, as for most that follow */
static int new_user(char **args)
{
	return unshare(CLONE_NEWUSER) < 0 ? lost("unshare") : hold(args[0]);
}

/* The same by clone, whose flags are not unshare's. */
static int clone_user(char **args)
{
	long pid = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);

	if (pid < 0)
		return lost("clone");
	if (pid == 0)
		_exit(hold(args[0]));
	return waitpid((pid_t)pid, NULL, 0) < 0;
}

/* And by clone3, whose flags a filter cannot see. */
static int clone3_user(char **args)
{
	struct {
		uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
	} a = { .flags = CLONE_NEWUSER, .exit_signal = SIGCHLD };
	long pid = syscall(SYS_clone3, &a, sizeof(a));

	if (pid < 0)
		return lost("clone3");
	if (pid == 0)
		_exit(hold(args[0]));
	return waitpid((pid_t)pid, NULL, 0) < 0;
}

/* PID TOKEN: its mount namespace */
static int join(char **args)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%s/ns/mnt", args[0]);
	fd = open(path, O_RDONLY);
	return fd < 0 || setns(fd, 0) < 0 ? lost("setns") : hold(args[1]);
}

/* TOKEN DIRECTORY: a tmpfs that carries the token as its source */
static int mount_it(char **args)
{
	return mount(args[0], args[1], "tmpfs", 0, NULL) < 0 ? lost("mount") : hold(args[0]);
}

/* TOKEN DIRECTORY: the same with the calls of 2019 */
static int fsmount_it(char **args)
{
	int fs = fsopen("tmpfs", 0), fd;

	if (fs < 0 || fsconfig(fs, FSCONFIG_SET_STRING, "source", args[0], 0) < 0 ||
		fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return lost("fsopen");
	fd = fsmount(fs, 0, 0);
	if (fd < 0 || move_mount(fd, "", AT_FDCWD, args[1], MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return lost("move_mount");
	return hold(args[0]);
}

/* TOKEN DIRECTORY: takes a cover off */
static int unmount(char **args)
{
	return umount2(args[1], MNT_DETACH) < 0 ? lost("umount") : hold(args[0]);
}

static int change_root(char **args)
{
	return chroot("/tmp") < 0 ? lost("chroot") : hold(args[0]);
}

static int bpf_map(char **args)
{
	union bpf_attr a = { .map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4,
		.max_entries = 1 };

	return syscall(SYS_bpf, BPF_MAP_CREATE, &a, sizeof(a)) < 0 ? lost("bpf") : hold(args[0]);
}

static int perf(char **args)
{
	struct perf_event_attr a = { .type = PERF_TYPE_SOFTWARE, .size = sizeof(a),
		.config = PERF_COUNT_SW_CPU_CLOCK, .exclude_kernel = 1, .exclude_hv = 1 };

	return syscall(SYS_perf_event_open, &a, 0, -1, -1, 0) < 0 ? lost("perf") : hold(args[0]);
}

static int userfault(char **args)
{
	return syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY) < 0 ? lost("userfaultfd") :
		hold(args[0]);
}

static int uring(char **args)
{
	struct io_uring_params p = { 0 };

	return syscall(SYS_io_uring_setup, 4, &p) < 0 ? lost("io_uring") : hold(args[0]);
}

/* A key of the user's, which outlives the process and which others of the user's can read. */
static int key(char **args)
{
	if (syscall(SYS_add_key, "user", args[0], "x", 1, KEY_SPEC_USER_KEYRING) < 0)
		return lost("add_key");
	return hold(args[0]);
}

static int handle(char **args)
{
	struct {
		struct file_handle head;
		char room[128];
	} h = { .head.handle_bytes = 128 };
	int mount_id, fd = -1;

	if (name_to_handle_at(AT_FDCWD, args[1], &h.head, &mount_id, 0) == 0)
		fd = open_by_handle_at(AT_FDCWD, &h.head, O_RDONLY);
	return fd < 0 ? lost("open_by_handle_at") : hold(args[0]);
}

static int read_implies_exec(char **args)
{
	return personality(READ_IMPLIES_EXEC) < 0 ? lost("personality") : hold(args[0]);
}

static int capabilities(char **args)
{
	struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct d[2] = { { 1u << CAP_SYS_ADMIN, 1u << CAP_SYS_ADMIN, 0 } };

	return syscall(SYS_capset, &h, d) < 0 ? lost("capset") : hold(args[0]);
}

static int become(char **args)
{
	return setresuid(1, 1, 1) < 0 ? lost("setresuid") : hold(args[0]);
}

/* PROGRAM, set-uid, and its arguments */
static int setuid_program(char **args)
{
	execv(args[0], args);
	return lost(args[0]);
}

static int host_name(char **args)
{
	return sethostname(args[0], strlen(args[0])) < 0 ? lost("sethostname") : hold(args[0]);
}

/* PATH: made by the 32-bit entry of the kernel, whose numbers are others: 8 is creat. The path is
 * copied below 4 GiB. */
static int int80(char **args)
{
#ifdef __x86_64__
	char *low = (char *)syscall(SYS_mmap, 0x10000000, 4096, 3, 0x100022, -1, 0);
	long r;

	if ((long)low < 0 || (uintptr_t)low >> 32)
		return lost("mmap");
	memcpy(low, args[0], strlen(args[0]) + 1);
	__asm__ volatile("int $0x80" : "=a"(r) : "a"(8), "b"(low), "c"(0644) : "memory");
	errno = (int)-r;
	return r < 0 ? lost("int 0x80") : 0;
#else
	return 77;
#endif
}

/* PATH: by the x32 entry */
static int x32(char **args)
{
	long r = syscall(0x40000000 + 85 /* creat */, args[0], 0644);

	return r < 0 ? lost("x32") : 0;
}

/* TEXT: typed into the terminal of standard input; with `odd`, in a form that only the low 32 bits
 * of the request make the same. */
static int type_text(const char *text, unsigned long request)
{
	for (; *text; text++)
		if (syscall(SYS_ioctl, 0, request, text) < 0)
			return lost("TIOCSTI");
	return 0;
}

static int tiocsti(char **args)
{
	return type_text(args[0], TIOCSTI);
}

static int tiocsti_odd(char **args)
{
	return type_text(args[0], TIOCSTI | (1UL << 32));
}

const struct probe kernel_probes[] = {
	{ "new-user", new_user },
	{ "clone-user", clone_user },
	{ "clone3-user", clone3_user },
	{ "join", join },
	{ "mount", mount_it },
	{ "fsmount", fsmount_it },
	{ "unmount", unmount },
	{ "chroot", change_root },
	{ "bpf", bpf_map },
	{ "perf", perf },
	{ "userfaultfd", userfault },
	{ "io-uring", uring },
	{ "key", key },
	{ "handle", handle },
	{ "personality", read_implies_exec },
	{ "capabilities", capabilities },
	{ "setuid", become },
	{ "setuid-program", setuid_program },
	{ "hostname", host_name },
	{ "int80", int80 },
	{ "x32", x32 },
	{ "tiocsti", tiocsti },
	{ "tiocsti-odd", tiocsti_odd },
	{ NULL, NULL },
};
