// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/door/door-priv.h"

#include "prim/err.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE_MS	30000
#define CONNECTIONS	16384
#define IDLE_SECONDS	3600

extern char **environ;

/* Beside the program that runs, in the build tree, or where it is installed. */
static int find_program(char *path, size_t size, struct diag *d)
{
	static const char *const places[] = { "cratons-egress", "../bin/cratons-egress",
		"../libexec/cratons/cratons-egress" };
	ssize_t n = readlink("/proc/self/exe", path, size - 1);
	size_t dir;

	if (n < 0)
		return diag_errno(d, -errno, "cannot tell where this program is");
	path[n] = '\0';
	dir = (size_t)(strrchr(path, '/') + 1 - path);
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		n = snprintf(path + dir, size - dir, "%s", places[i]);
		if ((size_t)n < size - dir && access(path, X_OK) == 0)
			return 0;
	}
	path[dir] = '\0';
	diag_fail(d, -ERR_CONTAINER, "cratons-egress is missing beside %s", path);
	return diag_hint(d, "install the whole of Cratons: make install");
}

/* It outlives nothing and needs nothing: where locales are and what a sanitizer was told. */
static void clean_environment(char **ret, size_t max)
{
	static const char *const kept[] = { "ASAN_OPTIONS=", "UBSAN_OPTIONS=", "RES_OPTIONS=", "LOCALDOMAIN=" };
	size_t n = 0;

	for (char **e = environ; *e; e++)
		for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
			if (strncmp(*e, kept[i], strlen(kept[i])) == 0 && n + 1 < max)
				ret[n++] = *e;
	ret[n] = NULL;
}

/* The descriptors are moved up first, so that none stands where another is to go. */
static int spawn(const char *program, int control, int door, int log, int counts, pid_t *ret)
{
	const int to[] = { EGRESS_FD_CONTROL, EGRESS_FD_DOOR, EGRESS_FD_LOG, EGRESS_FD_COUNTS };
	int from[] = { control, door, log, counts }, r = 0;
	char *argv[] = { (char *)"cratons-egress", NULL }, *env[8];
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t none, all;

	clean_environment(env, ARRAY_SIZE(env));
	sigemptyset(&none);
	sigfillset(&all);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &all);
	posix_spawnattr_setpgroup(&attr, 0);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
		POSIX_SPAWN_SETPGROUP);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDWR, 0);
	posix_spawn_file_actions_adddup2(&actions, 0, 1);
	for (size_t i = 0; i < ARRAY_SIZE(from); i++) {
		from[i] = from[i] < 0 ? -1 : fcntl(from[i], F_DUPFD_CLOEXEC, 16);
		if (from[i] >= 0)
			posix_spawn_file_actions_adddup2(&actions, from[i], to[i]);
		else if (to[i] != EGRESS_FD_LOG)
			r = -errno;
	}
	if (r == 0)
		r = -posix_spawn(ret, program, &actions, &attr, argv, env);
	for (size_t i = 0; i < ARRAY_SIZE(from); i++)
		fd_closep(&from[i]);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attr);
	return r;
}

static int say(struct door *o, const struct egress_frame *f, int fd)
{
	return pass_send(o->control, f, sizeof(*f), &fd, fd >= 0);
}

static int hear(struct door *o, enum egress_kind wanted, struct egress_frame *ret)
{
	struct pollfd p = { o->control, POLLIN, 0 };
	ssize_t n;

	while ((n = poll(&p, 1, PATIENCE_MS)) < 0 && errno == EINTR)
		;
	if (n <= 0)
		return n < 0 ? -errno : -ETIMEDOUT;
	while ((n = recv(o->control, ret, sizeof(*ret), MSG_TRUNC)) < 0 && errno == EINTR)
		;
	if (n <= 0)
		return n < 0 && errno != ECONNRESET ? -errno : -EPIPE;
	return n != sizeof(*ret) || ret->kind != (uint32_t)wanted ? -EPROTO : 0;
}

static int say_grant(struct door *o, const struct grant *g)
{
	static const uint8_t kinds[] = { [GRANT_NAME] = EGRESS_HOST, [GRANT_BELOW] = EGRESS_BELOW,
		[GRANT_NET] = EGRESS_NET };
	struct egress_frame f = { .kind = EGRESS_GRANT, .u.grant = { .kind = kinds[g->kind],
		.bits = (uint8_t)g->bits, .length = (uint8_t)g->name.n, .nports = (uint8_t)g->nports } };

	memcpy(f.u.grant.net, &g->net, sizeof(f.u.grant.net));
	if (g->name.n)
		memcpy(f.u.grant.name, g->name.p, g->name.n);
	for (size_t i = 0; i < g->nports; i++)
		f.u.grant.ports[i] = (struct egress_ports){ g->ports[i].from, g->ports[i].to };
	return say(o, &f, -1);
}

static int say_publish(struct door *o, const struct door_publish *p, struct diag *d)
{
	struct egress_frame f = { .kind = EGRESS_PUBLISH, .port = p->port };
	_cleanup_fd_ int fd = publish_listen(p, d);

	return fd < 0 ? fd : say(o, &f, fd);
}

static int say_start(struct door *o, const struct door_options *given)
{
	struct egress_frame f = { .kind = EGRESS_START, .u.start = {
		.connections = given->connections ? given->connections : CONNECTIONS,
		.idle_seconds = given->idle_seconds ? given->idle_seconds : IDLE_SECONDS,
		.log = given->log >= 0 } };

	snprintf(f.u.start.container, sizeof(f.u.start.container), "%s",
		given->container ? given->container : "");
	return say(o, &f, -1);
}

static int start(struct door *o, const struct door_options *given, struct diag *d)
{
	_cleanup_fd_ int control = -1, door = -1;
	char program[PATH_MAX];
	int pair[2], r = find_program(program, sizeof(program), d);

	if (r < 0)
		return r;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return diag_errno(d, -errno, "cannot make a connection for cratons-egress");
	o->control = pair[0];
	control = pair[1];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return diag_errno(d, -errno, "cannot make a connection for cratons-egress");
	o->sandbox.to = pair[0];
	door = pair[1];
	r = spawn(program, control, door, given->log, o->counts, &o->pid);
	return r < 0 ? diag_errno(d, r, "cannot start %s", program) : 0;
}

/* All of it is sent without waiting: the helper confines itself while the container is built. */
static int tell(struct door *o, const struct door_options *given, struct diag *d)
{
	int r = 0;

	for (size_t i = 0; i < o->grants->v.n && r == 0; i++)
		r = say_grant(o, &o->grants->v.v[i]);
	for (size_t i = 0; i < o->npublish && r == 0; i++)
		r = say_publish(o, &o->publish[i], d);
	if (r == 0)
		r = say_start(o, given);
	return r < 0 && !(d && d->code) ? diag_errno(d, r, "cratons-egress does not listen") : r;
}

int door_open(struct door **ret, const struct door_options *given, struct diag *d)
{
	struct door *o = calloc(1, sizeof(*o));
	int r;

	if (!o)
		return diag_fail(d, -ENOMEM, "out of memory");
	o->control = o->sandbox.to = o->counts = -1;
	o->grants = given->grants;
	o->publish = given->publish;
	o->npublish = given->npublish;
	r = given->npublish > EGRESS_PUBLISH_MAX ?
		diag_fail(d, -ERR_USAGE, "more than %u ports are published", EGRESS_PUBLISH_MAX) :
		door_plan(o, d);
	if (r == 0)
		r = counts_make(o, given->counts, d);
	if (r == 0)
		r = start(o, given, d);
	if (r == 0)
		r = tell(o, given, d);
	if (r < 0) {
		door_close(o);
		return r;
	}
	*ret = o;
	return 0;
}

const struct sandbox_door *door_sandbox(const struct door *o)
{
	return &o->sandbox;
}

int door_born(struct door *o, int pidfd, struct diag *d)
{
	const struct egress_frame born = { .kind = EGRESS_BORN };
	struct egress_frame f;
	int r;

	/* The builder has a copy; ours would keep the helper waiting when it dies. */
	fd_closep(&o->sandbox.to);
	r = hear(o, EGRESS_READY, &f);
	if (r == 0 && o->npublish)
		r = say(o, &born, pidfd);
	if (r < 0) {
		diag_fail(d, -ERR_NO_WALL, "cannot build a wall (network door): cratons-egress %s",
			r == -EPIPE ? "could not confine itself" : strerror(-r));
		return diag_hint(d, "'cratons doctor' tries each wall and says what to change");
	}
	return 0;
}

/* It ends by itself when all that the container wrote has arrived. */
void door_drain(struct door *o)
{
	_cleanup_fd_ int fd = -1;
	struct pollfd p = { .events = POLLIN };

	fd_closep(&o->control);
	fd_closep(&o->sandbox.to);
	if (o->pid <= 0)
		return;
	p.fd = fd = (int)syscall(SYS_pidfd_open, o->pid, 0);
	if (fd < 0 || poll(&p, 1, EGRESS_DRAIN_MS + EGRESS_DRAIN_MS / 4) != 1)
		return;
	while (waitpid(o->pid, NULL, 0) < 0 && errno == EINTR)
		;
	o->pid = 0;
}

/* What a slow server is still to read is the helper's business: nobody here waits for it. */
void door_close(struct door *o)
{
	if (!o)
		return;
	if (o->control >= 0)
		door_drain(o);
	fd_closep(&o->counts);
	arena_done(&o->arena);
	free(o);
}
