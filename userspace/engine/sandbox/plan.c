// SPDX-License-Identifier: GPL-2.0-or-later
/* The caller's side: everything that needs memory or reads the host, before there is a child. */
#include "engine/sandbox/sandbox-priv.h"

#include "prim/err.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define ARGUMENTS_MAX (1u << 20)
#define BINDS_MAX     4096

int plan_bind(struct plan *p, struct sandbox_bind bind)
{
	if (!bind.target || bind.target[0] != '/' ||
		(!bind.source && bind.kind <= SANDBOX_BIND_FILE && bind.kind != SANDBOX_BIND_TMPFS))
		return -EINVAL;
	if (bind.kind == SANDBOX_BIND_OVERLAY && !bind.upper != !bind.work)
		return -EINVAL;
	return p->binds.n == BINDS_MAX ? -ERR_LIMIT : vec_push(&p->binds, bind);
}

/* cratons-init: beside the program that runs, in the build tree, or where it is installed. */
static int find_init(struct plan *p, struct diag *d)
{
	static const char *const places[] = { "cratons-init", "../bin/cratons-init",
		"../libexec/cratons/cratons-init" };
	char self[PATH_MAX], *slash;
	_cleanup_fd_ int dir = -1;
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (n < 0)
		return diag_errno(d, -errno, "cannot tell where this program is");
	self[n] = '\0';
	slash = strrchr(self, '/');
	slash[slash == self] = '\0';
	dir = open(self, O_PATH | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; i < ARRAY_SIZE(places) && p->init_fd < 0; i++)
		p->init_fd = openat(dir, places[i], O_PATH | O_CLOEXEC);
	if (p->init_fd >= 0)
		return 0;
	if (dir < 0 || errno != ENOENT)
		return diag_errno(d, -errno, "cannot open cratons-init beside %s", self);
	diag_fail(d, -ERR_CONTAINER, "cratons-init is missing beside %s", self);
	return diag_hint(d, "install the whole of Cratons: make install");
}

/* init's own arguments, then the command's. */
static int make_arguments(struct plan *p, struct diag *d)
{
	const char *flags = !p->terminal.wanted ? "-x" : p->terminal.lazy ? "tbx" : "tx";
	size_t n = 0;

	while (p->s->argv[n])
		n++;
	if (n == 0 || n > ARGUMENTS_MAX)
		return diag_fail(d, -ERR_CONTAINER, "there is no command to run");
	p->init_argv = arena_newn(&p->arena, char *, n + 3);
	if (!p->init_argv)
		return diag_fail(d, -ENOMEM, "out of memory");
	p->init_argv[0] = (char *)"cratons-init";
	p->init_argv[1] = (char *)arena_str(&p->arena,
		str_slice(str_from(flags), 0, strlen(flags) - !p->s->joins)).p;
	if (!p->init_argv[1])
		return diag_fail(d, -ENOMEM, "out of memory");
	memcpy(p->init_argv + 2, p->s->argv, n * sizeof(*p->init_argv));
	return 0;
}

static int capture_stdio(struct plan *p, struct diag *d)
{
	int pair[2];

	p->stdio[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (p->stdio[0] < 0 || pipe2(pair, O_CLOEXEC) < 0)
		return diag_errno(d, -errno, "cannot capture the output");
	p->output = pair[0];
	p->stdio[1] = pair[1];
	p->stdio[2] = fcntl(pair[1], F_DUPFD_CLOEXEC, 3);
	return p->stdio[2] < 0 ? diag_errno(d, -errno, "cannot capture the output") : 0;
}

/* Halves of a secret that are written to both meet there: so they have to meet here. */
static bool same_file(int a, int b)
{
	struct stat of[2];

	return fstat(a, &of[0]) == 0 && fstat(b, &of[1]) == 0 && of[0].st_ino == of[1].st_ino &&
		of[0].st_dev == of[1].st_dev;
}

/* What is a terminal is replaced by the container's own, and comes through that. */
static int stream_stdio(struct plan *p, struct diag *d)
{
	int pair[2];

	for (int fd = 1; fd <= 2 && p->s->stdio == SANDBOX_STDIO_STREAMS; fd++) {
		if (p->terminal.is[fd])
			continue;
		if (fd == 2 && p->stdio[1] >= 0 && p->mask && !p->s->stream && same_file(1, 2)) {
			p->stdio[2] = fcntl(p->stdio[1], F_DUPFD_CLOEXEC, 3);
			return p->stdio[2] < 0 ? diag_errno(d, -errno, "cannot copy the output's pipe") : 0;
		}
		if (pipe2(pair, O_CLOEXEC) < 0)
			return diag_errno(d, -errno, "cannot make a pipe for the output");
		p->streams[fd - 1] = pair[0];
		p->stdio[fd] = pair[1];
	}
	return 0;
}

/*
 * The caller's terminal is read only when the command is alone with it: not when the output goes to
 * another program, which may read it too, and not in the background. There the command is started in
 * the background of its own terminal, and the kernel tells (SIGTTIN) when it wants to read.
 */
static void inspect_terminal(struct plan *p)
{
	struct terminal *t = &p->terminal;
	int fd = -1;

	for (int i = 2; i >= 0; i--) {
		t->is[i] = isatty(i);
		fd = t->is[i] ? i : fd;
	}
	t->wanted = fd >= 0;
	if (!t->wanted)
		return;
	tcgetattr(fd, &t->settings);
	ioctl(fd, TIOCGWINSZ, &t->size);
	t->lazy = t->is[0] && (!t->is[1] || tcgetpgrp(0) != getpgrp());
}

/* A directory as standard input would be a door: openat(2) leads from it to the host's files. */
static int refuse_directories(struct diag *d)
{
	struct stat st;

	for (int fd = 0; fd < 3; fd++)
		if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode))
			return diag_fail(d, -ERR_CONTAINER, "descriptor %d is a directory: a container "
				"is not given one", fd);
	return 0;
}

static int make_stdio(struct plan *p, struct diag *d)
{
	int r;

	/* What the caller closed must not be taken by a descriptor of ours: init would hand it in. */
	for (int fd = 0; fd < 3; fd++)
		while (fcntl(fd, F_GETFD) < 0)
			if (open("/dev/null", O_RDWR) < 0)
				return diag_errno(d, -errno, "cannot open /dev/null");
	if (p->s->stdio == SANDBOX_STDIO_CAPTURE)
		return capture_stdio(p, d);
	inspect_terminal(p);
	r = refuse_directories(d);
	if (r == 0)
		r = secrets_stdin(p, d);
	return r < 0 ? r : stream_stdio(p, d);
}

static int prepare_steps(struct plan *p, struct diag *d)
{
	int r = 0;

	for (const struct step *s = sandbox_steps; s->wall && r == 0; s++) {
		if (!step_applies(s, p))
			continue;
		p->namespaces |= s->namespace;
		r = s->prepare ? s->prepare(p, d) : 0;
	}
	if (p->s->net == SANDBOX_NET_HOST)
		p->namespaces &= ~(uint64_t)CLONE_NEWNET;
	if (p->s->joins)
		p->joined = join_namespaces(p->s->join_pid);
	p->of_root = geteuid() == 0;
	p->staged = p->s->joins || p->s->user_ns >= 0 || p->s->mount_ns >= 0 ||
		(geteuid() == 0 && getgroups(0, NULL) > 0);
	return r;
}

int plan_make(struct plan *p, const struct sandbox *s, struct diag *d)
{
	int r;

	*p = (struct plan){ .s = s, .init_fd = -1, .control = { -1, -1 }, .stdio = { -1, -1, -1 },
		.output = -1, .streams = { -1, -1 }, .signals = -1, .host = -1, .root = -1,
		.layer = -1, .dev = -1, .slave = -1 };
	r = s->nalarms > SANDBOX_ALARMS_MAX ? diag_fail(d, -ERR_LIMIT, "too many alarms") :
		secrets_apply(p, d);
	if (r == 0)
		r = make_stdio(p, d);
	if (r == 0)
		r = find_init(p, d);
	if (r == 0)
		r = make_arguments(p, d);
	if (r == 0)
		r = prepare_steps(p, d);
	if (r == 0 && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, p->control) < 0)
		r = diag_errno(d, -errno, "cannot make a socket pair");
	return r;
}

void plan_done(struct plan *p)
{
	int *fds[] = { &p->init_fd, &p->control[0], &p->control[1], &p->stdio[0], &p->stdio[1],
		&p->stdio[2], &p->output, &p->streams[0], &p->streams[1], &p->signals };

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		fd_closep(fds[i]);
	mask_free(p->mask);
	vec_done(&p->binds);
	arena_done(&p->arena);
}
