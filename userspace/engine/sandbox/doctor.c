// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What this host gives: every wall is built, in children that are thrown away. The steps are those of
 * a container; what they do not touch but others of Cratons need (FUSE, overlay, cgroups) is
 * tried beside them.
 */
#include "engine/cgroup/cgroup.h"
#include "engine/sandbox/sandbox-priv.h"

#include "engine/sandbox/jail.h"
#include "confine/landlock.h"

#include "prim/err.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <sys/wait.h>

#define CHECKS_MAX	   40
#define FILE_READ_MAX	   (4u << 20)
#define LANDLOCK_FILES_ABI 2	/* renames between folders; step_landlock.c */
#define LANDLOCK_ABI	   6	/* scopes; step_landlock.c */

struct doctor {
	struct arena *arena;
	struct sandbox_check *checks;
	size_t n;
	const char *lacking;	/* the first wall that is missing: others fall with it */
};

static void note(struct doctor *doc, const char *wall, int error, const char *detail, const char *fix)
{
	struct str copy = arena_str(doc->arena,
		str_from(error && !detail ? err_sentence(error) : detail ? detail : ""));

	if (copy.p && doc->n < CHECKS_MAX)
		doc->checks[doc->n++] = (struct sandbox_check){ .wall = wall, .error = error,
			.detail = copy.p, .fix = error ? fix : NULL };
}

/* What containers do without: they are slower then, or bounded by less. */
static void note_optional(struct doctor *doc, const char *wall, int error, const char *detail,
	const char *fix)
{
	size_t at = doc->n;

	note(doc, wall, error, detail, fix);
	if (doc->n > at)
		doc->checks[at].optional = true;
}

/* 1 when the file begins with this character, 0 when with another, -1 when there is none. */
static int begins(const char *path, char c)
{
	_cleanup_fd_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	char got;

	return fd < 0 || read(fd, &got, 1) != 1 ? -1 : got == c;
}

/* Whether the file has a text in it. */
static bool says(const char *path, const char *words)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	return file_slurp(AT_FDCWD, path, &b, FILE_READ_MAX) == 0 && strstr(buf_text(&b), words);
}

#define PROC_FIX "this is a container whose /proc is covered or read-only: its own runtime has to leave it open " \
	"(docker: --security-opt systempaths=unconfined, podman: --security-opt unmask=ALL, Kubernetes: " \
	"procMount: Unmasked)"

#define REFUSED_FIX "a chroot makes none: enter it by bwrap or systemd-nspawn; where this is itself a container, its " \
	"runtime has to let it (docker, podman: --security-opt seccomp=unconfined, apparmor=unconfined)"

static const char *namespace_fix(int error)
{
	if (error == EROFS)
		return PROC_FIX;
	if (error == ENOSYS && says("/proc/self/status", "Seccomp:\t2"))
		return "a seccomp profile around this process refuses them, as that of a container of Cratons "
		       "does: there is no container in one; docker and podman: --security-opt seccomp=unconfined";
	if (begins("/proc/sys/kernel/unprivileged_userns_clone", '0') == 1)
		return "sysctl -w kernel.unprivileged_userns_clone=1";
	if (begins("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", '1') == 1)
		return "as root: cp share/cratons/apparmor/cratons of where Cratons is installed to "
		       "/etc/apparmor.d/, then apparmor_parser -r /etc/apparmor.d/cratons";
	if (begins("/proc/sys/user/max_user_namespaces", '0') == 1 || error == ENOSPC)
		return "sysctl -w user.max_user_namespaces=15000 (and the other user.max_*_namespaces)";
	if (error == ENOSYS || error == EINVAL)
		return "Linux 5.12 or newer, with all kinds of namespaces (CONFIG_NAMESPACES, CONFIG_TIME_NS)";
	return REFUSED_FIX;
}

static pid_t clone_into(uint64_t namespaces)
{
	struct clone_args args = { .flags = namespaces, .exit_signal = SIGCHLD };

	return (pid_t)syscall(SYS_clone3, &args, sizeof(args));
}

/* What to do is said once: a wall that needs another that is missing may be there when that is. */
static void note_wall(struct doctor *doc, const char *wall, int error, const char *at)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	const char *fix = doc->lacking ? NULL : error == EPERM && strcmp(wall, "proc") == 0 ? PROC_FIX :
		namespace_fix(error);

	if (error && doc->lacking)
		(void)buf_addf(&text, "not known without the %s", doc->lacking);
	else if (error && at)
		(void)buf_addf(&text, "%s: %s", at, err_sentence(error));
	note(doc, wall, error, text.len ? buf_text(&text) : NULL, fix);
	if (error && !doc->lacking)
		doc->lacking = wall;
}

static void check_namespace(struct doctor *doc, const struct step *s)
{
	pid_t pid = clone_into(s->namespace | CLONE_NEWUSER);
	int error = pid < 0 ? errno : 0;

	if (pid == 0)
		_exit(0);
	if (pid > 0)
		waitpid(pid, NULL, 0);
	note_wall(doc, s->wall, error, NULL);
}

static int write_maps(char text[3][32])
{
	static const char *const files[] = { "/proc/self/setgroups", "/proc/self/uid_map",
		"/proc/self/gid_map" };
	for (int i = 0; i < 3; i++) {
		_cleanup_fd_ int fd = open(files[i], O_WRONLY | O_CLOEXEC);

		if (fd < 0 || write(fd, text[i], strlen(text[i])) < 0)
			return -errno;
	}
	return 0;
}

/* Runs a trial as the root of new user and mount namespaces; its errno comes back as exit status. */
static int try_inside(int (*trial)(void))
{
	char maps[3][32] = { "deny" };
	pid_t pid;
	int status, r;

	snprintf(maps[1], sizeof(maps[1]), "0 %u 1", geteuid());
	snprintf(maps[2], sizeof(maps[2]), "0 %u 1", getegid());
	pid = clone_into(CLONE_NEWUSER | CLONE_NEWNS);
	if (pid < 0)
		return errno;
	if (pid == 0) {
		r = write_maps(maps);
		_exit(r < 0 ? -r : -trial());
	}
	if (waitpid(pid, &status, 0) < 0 || !WIFEXITED(status))
		return EIO;
	return WEXITSTATUS(status);
}

static int set(int fs, const char *key, const char *value)
{
	return fsconfig(fs, FSCONFIG_SET_STRING, key, value, 0);
}

static int try_fuse(void)
{
	_cleanup_fd_ int device = open("/dev/fuse", O_RDWR | O_CLOEXEC), fs = -1;
	char number[16];

	if (device < 0)
		return -errno;
	snprintf(number, sizeof(number), "%d", device);
	fs = fsopen("fuse", FSOPEN_CLOEXEC);
	if (fs < 0 || set(fs, "fd", number) < 0 || set(fs, "rootmode", "40000") < 0 ||
		set(fs, "user_id", "0") < 0 || set(fs, "group_id", "0") < 0 ||
		fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	return 0;
}

static int try_overlay(void)
{
	_cleanup_fd_ int fs = -1;

	if (mount("tmpfs", "/tmp", "tmpfs", 0, NULL) < 0 || mkdir("/tmp/lower", 0755) < 0 ||
		mkdir("/tmp/upper", 0755) < 0 || mkdir("/tmp/work", 0755) < 0)
		return -errno;
	fs = fsopen("overlay", FSOPEN_CLOEXEC);
	if (fs < 0 || set(fs, "lowerdir", "/tmp/lower") < 0 || set(fs, "upperdir", "/tmp/upper") < 0 ||
		set(fs, "workdir", "/tmp/work") < 0 ||
		fsconfig(fs, FSCONFIG_SET_FLAG, "userxattr", NULL, 0) < 0 ||
		fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	return 0;
}

/* A throw-away layer marks what it replaces by user.* attributes, which tmpfs has only had since 6.6. */
static int try_overlay_opaque(void)
{
	if (mount("tmpfs", "/tmp", "tmpfs", 0, NULL) < 0 || mkdir("/tmp/upper", 0755) < 0)
		return -errno;
	return setxattr("/tmp/upper", "user.overlay.opaque", "y", 1, 0) < 0 ? -errno : 0;
}

/* What a container with network grants needs beyond others: a second namespace, joined by a pair. */
static int try_door(void)
{
	const struct sandbox_door_route route = { { .s6_addr = { [10] = 0xff, [11] = 0xff, 198, 18 } }, 111 };
	struct sandbox_door door = { .routes = &route, .nroutes = 1 };
	const struct sandbox s = { .net = SANDBOX_NET_DOOR, .door = &door };
	struct plan p = { .s = &s };
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0 || unshare(CLONE_NEWNET) < 0)
		return -errno;
	door.to = pair[0];
	return door_enter(&p);
}

static void check_landlock(struct doctor *doc)
{
	static const struct {
		int abi;
		const char *with, *without;
	} parts[] = {
		{ 2, "files", "files by path (Linux 5.19)" },
		{ 4, "ports", "ports of the host's network (6.7)" },
		{ 5, "devices", "devices (6.10)" },
		{ LANDLOCK_ABI, "scopes", "scopes (6.12): with the host's network its abstract unix sockets "
			"can be reached" },
	};
	_cleanup_buf_ struct buf text = BUF_INIT;
	int abi = landlock_abi(), r = buf_addf(&text, "ABI %d", abi);

	for (size_t i = 0; i < ARRAY_SIZE(parts) && r == 0; i++)
		r = buf_addf(&text, "%s%s%s", i ? ", " : ": ", abi < parts[i].abi ? "no " : "",
			abi < parts[i].abi ? parts[i].without : parts[i].with);
	note(doc, "landlock scopes", abi < LANDLOCK_ABI ? EOPNOTSUPP : 0, buf_text(&text),
		"Linux 6.12 or newer with landlock among its security modules, or --net none");
}

/* The jail of the process that talks to registries, entered by a child; what holds there comes back as
 * its exit status. */
static void check_jail(struct doctor *doc)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	struct jail_report report = { 0 };
	pid_t pid = fork();
	int status = 0;
	bool all;

	if (pid == 0) {
		_cleanup_fd_ int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
		struct jail j = { .write = root };

		_exit(jail_enter(&j, &report, NULL) < 0 ? 0 :
			MIN(report.landlock, 100) << 1 | report.seccomp);
	}
	if (pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status))
		report = (struct jail_report){ WEXITSTATUS(status) >> 1, WEXITSTATUS(status) & 1 };
	all = report.landlock >= LANDLOCK_ABI && report.seccomp;
	(void)jail_describe(&report, &text);
	note_optional(doc, "installing apart", all ? 0 : EOPNOTSUPP, buf_text(&text),
		"Linux 6.12 or newer with landlock among its security modules; installing works "
		"without, with less around it");
}

static void check_cgroup(struct doctor *doc)
{
	const char *text, *fix;
	int r = cgroup_describe(doc->arena, &text, &fix);

	note_optional(doc, "limits (cgroup v2)", r < 0 ? -r : fix ? EOPNOTSUPP : 0, r < 0 ? NULL : text,
		r < 0 ? NULL : fix);
}

static int launch_trial(struct plan *p, struct diag *d)
{
	pid_t pid;
	int r;

	p->trying = true;
	r = sandbox_launch(p, &pid, d);
	return r < 0 ? r : pid;
}

/* A step that could do nothing has not failed: this one finds Landlock absent, or too old for files. */
static void note_step(struct doctor *doc, const char *wall, int error, const char *detail)
{
	if (!error && strcmp(wall, "landlock") == 0 && landlock_abi() < LANDLOCK_FILES_ABI)
		note(doc, wall, EOPNOTSUPP, "not in force: the mounts stand alone",
			"Linux 5.19 or newer with landlock among its security modules (lsm=)");
	else
		note_wall(doc, wall, error, detail);
}

/* The steps one after the other in one child, as a container has them; false when it could not be
 * cloned. */
static bool check_steps(struct doctor *doc)
{
	static const char *const command[] = { "true", NULL };
	static const char *const env[] = { NULL };
	struct sandbox s = { .argv = command, .env = env, .uid = 1000, .gid = 1000,
		.home = "/home/user", .stdio = SANDBOX_STDIO_CAPTURE, SANDBOX_INIT,
		.host_usr = true, .time_ns = true };
	_cleanup_diag_ struct diag d = DIAG_INIT;
	struct init_frame f;
	struct plan p;
	int pid = plan_make(&p, &s, &d);
	char at[INIT_DETAIL_MAX + 1];

	if (pid == 0)
		pid = launch_trial(&p, &d);
	if (pid < 0)
		note(doc, "container", -err_errno(pid), buf_text(&d.what), NULL);
	while (pid > 0 && recv(p.control[0], &f, sizeof(f), 0) == sizeof(f)) {
		snprintf(at, sizeof(at), "%.*s", (int)MIN(f.length, INIT_DETAIL_MAX), f.detail);
		if (f.value || !sandbox_steps[f.extra].namespace)
			note_step(doc, sandbox_steps[f.extra].wall, f.value,
				f.value && at[0] ? at : NULL);
	}
	if (pid > 0)
		waitpid(pid, NULL, 0);
	plan_done(&p);
	return pid > 0;
}

/* What is mounted in a user namespace: without one nothing is known of it. */
static void check_inside(struct doctor *doc)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	int error = try_inside(try_fuse);

	if (doc->lacking && doc->checks[0].error) {
		(void)buf_addf(&text, "not known without the %s", doc->lacking);
		note(doc, "fuse", EPERM, buf_text(&text), NULL);
		note(doc, "overlay", EPERM, buf_text(&text), NULL);
		return;
	}
	note(doc, "fuse", error, NULL, error == EACCES ? "chmod 0666 /dev/fuse (udev does so where "
		"fuse3 is installed)" : "modprobe fuse");
	error = try_inside(try_overlay);
	note(doc, "overlay", error, NULL, "Linux 5.11 or newer, modprobe overlay");
	error = try_inside(try_overlay_opaque);
	note_optional(doc, "overlay in memory", error, error ? "a throw-away layer cannot replace a "
		"directory that it removed" : NULL, "Linux 6.6 or newer, or a layer that is kept on disk");
	note_optional(doc, "network door", try_inside(try_door), NULL, "modprobe veth (a container with "
		"network grants is joined by it to the namespace of its listeners)");
}

int sandbox_doctor(struct arena *a, struct sandbox_check **ret, size_t *ret_n)
{
	struct doctor doc = { a, arena_newn(a, struct sandbox_check, CHECKS_MAX), 0 };

	if (!doc.checks)
		return -ENOMEM;
	for (const struct step *s = sandbox_steps; s->wall; s++)
		if (s->namespace)
			check_namespace(&doc, s);
	check_steps(&doc);
	check_landlock(&doc);
	check_jail(&doc);
	check_inside(&doc);
	check_cgroup(&doc);
	*ret = doc.checks;
	*ret_n = doc.n;
	return 0;
}
