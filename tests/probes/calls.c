// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * System calls by which the kernel's rarer parts are reached. Where a call leaves no trace that could
 * be seen from outside, its error tells: EPERM and ENOSYS are walls, anything else is the call's own
 * opinion of its arguments, which are chosen so that nothing happens.
 */
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/keyctl.h>
#include <linux/limits.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

/* Younger than Debian 12's headers. */
#define NR_statmount	     457
#define NR_listmount	     458
#define NR_lsm_list_modules  461
#define NR_open_tree_attr    467
#define NR_memfd_secret	     447
#define NR_quotactl_fd	     443

static const struct {
	const char *name;
	long number;
	long args[5];
} calls[] = {
	{ "init_module", SYS_init_module, { 0 } },
	{ "finit_module", SYS_finit_module, { -1 } },
	{ "delete_module", SYS_delete_module, { 0 } },
	{ "kexec_load", SYS_kexec_load, { 0, 0, 0, 0xffff } },
	{ "reboot", SYS_reboot, { 0 } },
	{ "swapon", SYS_swapon, { 0 } },
	{ "swapoff", SYS_swapoff, { 0 } },
	{ "acct", SYS_acct, { 1 } },
	{ "quotactl", SYS_quotactl, { 0x800001 << 8, 1 } },
	{ "quotactl_fd", NR_quotactl_fd, { -1 } },
	{ "settimeofday", SYS_settimeofday, { 1 } },
	{ "clock_settime", SYS_clock_settime, { 1, 1 } },
	{ "adjtimex", SYS_adjtimex, { 1 } },
	{ "clock_adjtime", SYS_clock_adjtime, { 0, 1 } },
	{ "syslog", SYS_syslog, { 10 } },
	{ "move_pages", SYS_move_pages, { 0 } },
	{ "migrate_pages", SYS_migrate_pages, { 0 } },
	{ "keyctl", SYS_keyctl, { KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING } },
	{ "request_key", SYS_request_key, { 0 } },
	{ "io_uring_enter", SYS_io_uring_enter, { -1 } },
	{ "io_uring_register", SYS_io_uring_register, { -1 } },
	{ "fsconfig", SYS_fsconfig, { -1 } },
	{ "fspick", SYS_fspick, { -1, 1 } },
	{ "fsmount", SYS_fsmount, { -1 } },
	{ "move_mount", SYS_move_mount, { -1, 1, -1, 1 } },
	{ "open_tree", SYS_open_tree, { -1, 1 } },
	{ "open_tree_attr", NR_open_tree_attr, { -1, 1 } },
	{ "mount_setattr", SYS_mount_setattr, { -1, 1, 0, 1, 32 } },
	{ "pivot_root", SYS_pivot_root, { 1, 1 } },
	{ "statmount", NR_statmount, { 1, 1, 1, 1 } },
	{ "listmount", NR_listmount, { 1, 1, 1 } },
	{ "lsm_list_modules", NR_lsm_list_modules, { 1, 1 } },
	{ "setns", SYS_setns, { -1 } },
	{ "fanotify_mark", SYS_fanotify_mark, { -1 } },
	{ "name_to_handle_at", SYS_name_to_handle_at, { -1, 1 } },
#ifdef __x86_64__
	{ "ioperm", SYS_ioperm, { 0x80, 1, 1 } },
	{ "iopl", SYS_iopl, { 0 } },
	{ "modify_ldt", SYS_modify_ldt, { 0 } },
	{ "sysfs", SYS_sysfs, { 3 } },
	{ "ustat", SYS_ustat, { 0 } },
#endif
};

/* NAME */
static int reach(char **args)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		const long *a = calls[i].args;

		if (strcmp(calls[i].name, args[0]) != 0)
			continue;
		if (syscall(calls[i].number, a[0], a[1], a[2], a[3], a[4]) < 0 &&
			(errno == EPERM || errno == ENOSYS))
			return lost(args[0]);
		return printf("reached %s\n", strerror(errno)) < 0;
	}
	fprintf(stderr, "no such call\n");
	return 2;
}

static int list_calls(char **args)
{
	(void)args;
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		puts(calls[i].name);
	return 0;
}

/* TOKEN, as for those that follow: what comes back is a descriptor, which the runner sees. */
static int fanotify(char **args)
{
	return fanotify_init(FAN_CLASS_NOTIF | FAN_REPORT_FID, O_RDONLY) < 0 ? lost("fanotify_init") :
		hold(args[0]);
}

static int file_system(char **args)
{
	return fsopen("tmpfs", 0) < 0 ? lost("fsopen") : hold(args[0]);
}

/* A copy of / with all below it, mounted nowhere, where a cover may be missing. */
static int tree_copy(char **args)
{
	int fd = open_tree(AT_FDCWD, "/", OPEN_TREE_CLONE | AT_RECURSIVE);

	return fd < 0 ? lost("open_tree") : hold(args[0]);
}

static int secret_memory(char **args)
{
	return syscall(NR_memfd_secret, 0) < 0 ? lost("memfd_secret") : hold(args[0]);
}

/* TOKEN FLAG (hexadecimal): one more namespace */
static int namespace(char **args)
{
	return syscall(SYS_unshare, strtoul(args[1], NULL, 16)) < 0 ? lost("unshare") : hold(args[0]);
}

/* TOKEN PATH: the namespace that it is in already; joining it again gives its mounts a fresh look. */
static int join_own(char **args)
{
	int fd = open(args[1], O_RDONLY);

	return fd < 0 || setns(fd, 0) < 0 ? lost("setns") : hold(args[0]);
}

/* TOKEN PATH: a read-only mount made writable */
static int loosen(char **args)
{
	struct mount_attr a = { .attr_clr = MOUNT_ATTR_RDONLY };

	return mount_setattr(AT_FDCWD, args[1], 0, &a, sizeof(a)) < 0 &&
		mount(NULL, args[1], NULL, MS_REMOUNT | MS_BIND, NULL) < 0 ? lost("mount_setattr") :
		hold(args[0]);
}

/* DESCRIPTION CANARY COMMAND...: the command in a keyring of its own that holds a key. */
static int with_key(char **args)
{
	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0 ||
		syscall(SYS_add_key, "user", args[0], args[1], strlen(args[1]),
			KEY_SPEC_SESSION_KEYRING) < 0)
		return lost("add_key");
	execvp(args[2], args + 2);
	return lost(args[2]);
}

/* UID SECONDS COMMAND...: no attack; that user's, for so long at the most, in a process group of its own */
static int as(char **args)
{
	uid_t uid = (uid_t)strtoul(args[0], NULL, 10);

	setpgid(0, 0);
	if (uid != 0 && (setgroups(0, NULL) < 0 || setresgid(uid, uid, uid) < 0 ||
			 setresuid(uid, uid, uid) < 0))
		return lost("setresuid");
	alarm((unsigned)strtoul(args[1], NULL, 10));
	execvp(args[2], args + 2);
	lost(args[2]);
	return 127;
}

/* DESCRIPTION: what the key in the keyring of whoever started this says */
static int read_key(char **args)
{
	char data[256] = "";
	long key = syscall(SYS_keyctl, KEYCTL_SEARCH, KEY_SPEC_SESSION_KEYRING, "user", args[0], 0);

	if (key < 0 || syscall(SYS_keyctl, KEYCTL_READ, key, data, sizeof(data) - 1) < 0)
		return lost("keyctl");
	return puts(data) < 0;
}

/* A terminal of its own gets another line discipline: code of the kernel that is loaded on demand. */
static int discipline(char **args)
{
	int fd = open("/dev/ptmx", O_RDWR | O_NOCTTY), line = 0;

	(void)args;
	if (fd < 0 || ioctl(fd, TIOCSETD, &line) < 0)
		return lost("TIOCSETD");
	return puts("reached") < 0;
}

/* TOKEN: no set-id program is to be feared any more, so no_new_privs goes */
static int new_privileges(char **args)
{
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 0)
		return lost("no_new_privs is set and cannot be cleared");
	return hold(args[0]);
}

static int ambient(char **args)
{
	for (int cap = 0; cap < 64; cap++)
		if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) == 0)
			return hold(args[0]);
	return lost("PR_CAP_AMBIENT_RAISE");
}

/* What the kernel says with the help of its list of mounts */
static int list_mounts(char **args)
{
	struct {
		uint32_t size, spare;
		uint64_t mount, param;
	} request = { .size = 24, .mount = UINT64_MAX };
	uint64_t ids[64];
	long n = syscall(NR_listmount, &request, ids, 64, 0);

	(void)args;
	return n < 0 ? lost("listmount") : printf("mounts %ld\n", n) < 0;
}

/* A filter of its own that would answer for a wall: the strictest answer counts, not the last. */
static int filter_over(char **args)
{
	struct {
		uint16_t code;
		uint8_t jt, jf;
		uint32_t k;
	} allow = { 0x06, 0, 0, 0x7fff0000 };
	struct {
		uint16_t len;
		void *filter;
	} program = { 1, &allow };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || syscall(SYS_seccomp, 1, 0, &program) < 0)
		return lost("seccomp");
	return syscall(SYS_unshare, CLONE_NEWUSER) < 0 ? lost("unshare") : hold(args[0]);
}

const struct probe call_probes[] = {
	{ "reach", reach },
	{ "calls", list_calls },
	{ "fanotify", fanotify },
	{ "file-system", file_system },
	{ "tree-copy", tree_copy },
	{ "secret-memory", secret_memory },
	{ "namespace", namespace },
	{ "join-own", join_own },
	{ "loosen", loosen },
	{ "as", as },
	{ "with-key", with_key },
	{ "read-key", read_key },
	{ "discipline", discipline },
	{ "new-privileges", new_privileges },
	{ "ambient", ambient },
	{ "list-mounts", list_mounts },
	{ "filter-over", filter_over },
	{ NULL, NULL },
};
