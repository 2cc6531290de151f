// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * cratons-fused --home DIR [--connection FD]
 * cratons-fused --home DIR --tree HEX --at PATH [--connection FD]
 *
 * The first form mounts the whole store in namespaces of its own, for the commands of one user; the
 * second one tree on the host. Both are started by a command, which waits at its connection for the
 * answer; without one, the program stays in the foreground.
 */
#include "server.h"

#include "base/fd.h"
#include "prim/err.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#define LOG_MAX (1 << 20)

static int parse_number(const char *text, unsigned max, unsigned *ret)
{
	uint64_t n;

	if (str_u64(str_from(text), &n) < 0 || n > max)
		return -ERR_USAGE;
	*ret = (unsigned)n;
	return 0;
}

/* For tests and for measuring; a malformed value counts as absent. */
static void from_environment(struct server *s)
{
	const char *idle = getenv("CRATONS_FUSED_IDLE"), *poll_us = getenv("CRATONS_FUSED_POLL_US"),
		   *workers = getenv("CRATONS_FUSED_WORKERS"), *ahead = getenv("CRATONS_FUSED_READ_AHEAD"),
		   *rings = getenv("CRATONS_FUSED_URING"), *timeout = getenv("CRATONS_FUSED_TIMEOUT"),
		   *guard = getenv("CRATONS_FUSED_GUARD_US");

	if (idle)
		(void)parse_number(idle, 7 * 86400, &s->idle_seconds);
	if (poll_us)
		(void)parse_number(poll_us, 1000000, &s->poll_us);
	if (rings)
		s->use_rings = strcmp(rings, "0") != 0;
	if (timeout)
		(void)parse_number(timeout, UINT16_MAX, &s->timeout_seconds);
	if (guard)
		(void)parse_number(guard, 600000000, &s->guard_us);
	if (ahead)
		(void)parse_number(ahead, 1024, &s->read_ahead);
	if (workers && parse_number(workers, 64, &s->workers) == 0)
		s->workers = MAX(s->workers, 1u);
}

static int parse(struct server *s, int argc, char **argv)
{
	static const struct option options[] = {
		{ "home", required_argument, NULL, 'h' },
		{ "tree", required_argument, NULL, 't' },
		{ "at", required_argument, NULL, 'a' },
		{ "connection", required_argument, NULL, 'c' },
		{ 0 },
	};
	bool tree = false;
	unsigned n;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		if (c == 'h')
			s->home = optarg;
		else if (c == 'a')
			s->at = optarg;
		else if (c == 't' && digest_parse(&s->tree, str_from(optarg)) == 0)
			tree = true;
		else if (c == 'c' && parse_number(optarg, INT32_MAX, &n) == 0)
			s->connection = (int)n;
		else
			return -ERR_USAGE;
	}
	return optind == argc && s->home && tree == (s->at != NULL) ? 0 : -ERR_USAGE;
}

static int identify(struct server *s, struct diag *d)
{
	struct stat st;

	if (stat("/proc/self/exe", &st) < 0)
		return diag_errno(d, -errno, "cannot read /proc/self/exe");
	s->build = fused_build_of(&st);
	s->uid = geteuid();
	s->gid = getegid();
	return 0;
}

static int open_home(struct server *s, struct diag *d)
{
	s->home_fd = open(s->home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->home_fd < 0)
		return diag_errno(d, -errno, "cannot open %s", s->home);
	if (mkdirat(s->home_fd, "run", 0700) < 0 && errno != EEXIST)
		return diag_errno(d, -errno, "cannot make %s/run", s->home);
	s->run_fd = openat(s->home_fd, "run", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (s->run_fd < 0)
		return diag_errno(d, -errno, "cannot open %s/run", s->home);
	return 0;
}

/* Messages go to the log from here on; a log that grew large starts anew. */
static int open_log(struct server *s, struct diag *d)
{
	_cleanup_fd_ int log = -1, null = -1;
	struct stat st;

	if (s->connection < 0)
		return 0;
	log = openat(s->run_fd, FUSED_LOG, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (log < 0 || null < 0)
		return diag_errno(d, -errno, "cannot open %s/run/" FUSED_LOG, s->home);
	if (fstat(log, &st) == 0 && st.st_size > LOG_MAX)
		(void)!ftruncate(log, 0);
	if (dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(log, 2) < 0)
		return diag_errno(d, -errno, "cannot set up the server's log");
	return 0;
}

static int open_tree(void *data, const struct digest *digest, const struct tree **ret)
{
	struct server *s = data;
	int r = cas_tree(s->cas, digest, ret, NULL);

	/* One that the index has, but no file: lost. */
	if (r == -ERR_DIGEST || r == -ERR_TREE ||
			(r == -ERR_STORE_MISSING && cas_has_tree(s->cas, digest)))
		damage_report(s->damage, "tree", digest);
	return r;
}

static int stat_index(const struct server *s, struct stat *st)
{
	return fstatat(s->home_fd, "store/index/data.mdb", st, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

bool server_has_index(const struct server *s)
{
	struct stat st;

	return stat_index(s, &st) == 0 && st.st_dev == s->index_device && st.st_ino == s->index_inode;
}

static int open_store(struct server *s, struct diag *d)
{
	struct stat index;
	int r = cas_open(&s->cas, s->home_fd, d);

	if (r < 0)
		return r;
	r = stat_index(s, &index);
	if (r < 0)
		return diag_errno(d, r, "cannot find the store's index");
	s->index_device = index.st_dev;
	s->index_inode = index.st_ino;
	r = damage_new(&s->damage, s->run_fd);
	if (r < 0)
		return diag_errno(d, r, "cannot open %s/run/" FUSED_DAMAGED, s->home);
	r = nodes_new(&s->nodes, open_tree, s, s->at ? &s->tree : NULL);
	return r < 0 ? diag_fail(d, r, "cannot open the tree to be mounted") : 0;
}

static int make_listener(struct server *s, struct diag *d)
{
	s->ended = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (s->ended < 0)
		return diag_errno(d, -errno, "cannot make an event descriptor");
	return s->at ? 0 : server_listen(s, d);
}

static int enter_namespaces(struct server *s, struct diag *d)
{
	return s->at ? 0 : server_namespaces(s, d);
}

/* The order matters: what opens files comes before confine, threads come after it. */
static int (*const steps[])(struct server *s, struct diag *d) = {
	identify, open_home, open_log, open_store, enter_namespaces, server_mount, server_session,
	server_transport, server_handshake, make_listener, server_confine, server_workers,
};

/* The command goes on while this program is still coming up: its child is not its parent's. */
static void detach(const struct server *s)
{
	pid_t pid;

	if (s->connection < 0)
		return;
	pid = fork();
	if (pid != 0)
		_exit(pid < 0 ? EXIT_ERROR : 0);
	(void)setsid();
	(void)!chdir("/");
}

int main(int argc, char **argv)
{
	struct server s = {
		.home_fd = -1, .run_fd = -1, .connection = -1, .device = -1, .listener = -1,
		.user_ns = -1, .mount_ns = -1, .ended = -1,
		.idle_seconds = 300, .workers = 4, .poll_us = 100, .read_ahead = 16, .use_rings = true,
		.timeout_seconds = 120, .guard_us = 1000,
	};
	_cleanup_diag_ struct diag d = DIAG_INIT;
	int r;

	if (parse(&s, argc, argv) < 0) {
		fprintf(stderr, "usage: cratons-fused --home DIR [--tree HEX --at PATH] [--connection FD]\n");
		return EXIT_USAGE;
	}
	from_environment(&s);
	detach(&s);
	signal(SIGPIPE, SIG_IGN);
	r = 0;
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(steps); i++)
		r = steps[i](&s, &d);
	if (r < 0) {
		fprintf(stderr, "cratons-fused: %s\n", buf_text(&d.what));
		if (s.connection >= 0)
			server_answer(&s, s.connection, FUSED_FAILED, &d);
		return err_exit_status(r);
	}
	r = server_serve(&s);
	/* Not exit(): the workers still run, and all that is held goes with the process. */
	_exit(r < 0 ? EXIT_ERROR : 0);
}
