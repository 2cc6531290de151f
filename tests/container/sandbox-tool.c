// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * sandbox-tool [OPTION…] -- COMMAND [ARGUMENT…]: the sandbox engine by itself, for tests and
 * benchmarks. `sandbox-tool doctor` prints the walls. The command's exit status is passed on; 125 is
 * a container that could not be made.
 */
#include "engine/sandbox/rootfs.h"
#include "engine/door/door.h"
#include "engine/sandbox/sandbox.h"
#include "engine/sandbox/seccomp.h"
#include "prim/err.h"
#include "prim/vec.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <unistd.h>

static const struct option options[] = {
	{ "bind", required_argument, NULL, 'b' },	/* SOURCE[:TARGET], writable */
	{ "ro-bind", required_argument, NULL, 'r' },
	{ "tree", required_argument, NULL, 'T' },	/* SOURCE:TARGET */
	{ "overlay", required_argument, NULL, 'o' },	/* LOWER:UPPER:WORK:TARGET */
	{ "tmpfs", required_argument, NULL, 't' },
	{ "scratch", required_argument, NULL, 's' },
	{ "symlink", required_argument, NULL, 'l' },	/* LINK'S TARGET:PATH */
	{ "file", required_argument, NULL, 'f' },	/* TEXT:PATH */
	{ "net", required_argument, NULL, 'n' },	/* none, host, or a grant */
	{ "publish", required_argument, NULL, 'q' },
	{ "door-log", required_argument, NULL, 'j' },
	{ "door-connections", required_argument, NULL, 'm' },
	{ "door-idle", required_argument, NULL, 'i' },
	{ "door-counts", no_argument, NULL, 'k' },	/* printed to stderr at the end */
	{ "seccomp", required_argument, NULL, 'S' },
	{ "hostname", required_argument, NULL, 'h' },
	{ "uid", required_argument, NULL, 'u' },
	{ "gid", required_argument, NULL, 'g' },
	{ "home", required_argument, NULL, 'H' },
	{ "cwd", required_argument, NULL, 'C' },
	{ "env", required_argument, NULL, 'e' },
	{ "capture", no_argument, NULL, 'c' },		/* and print what was captured */
	{ "output-max", required_argument, NULL, 'O' },
	{ "seconds", required_argument, NULL, 'w' },
	{ "processes", required_argument, NULL, 'p' },
	{ "file-size", required_argument, NULL, 'z' },
	{ "address-space", required_argument, NULL, 'a' },
	{ "open-files", required_argument, NULL, 'N' },
	{ "scratch-size", required_argument, NULL, 'x' },
	{ "namespaces-of", required_argument, NULL, 'P' },	/* a pid: its user and mount namespace */
	{ "rootfs", required_argument, NULL, 'R' },
	{ "root-tree", required_argument, NULL, 'M' },
	{ "layer", required_argument, NULL, 'L' },	/* none, scratch, direct, or the directory to keep it in */
	{ "read-only", no_argument, NULL, 'y' },
	{ "time-namespace", no_argument, NULL, 'Z' },
	{ "tcp-connect", required_argument, NULL, 'K' },
	{ "tcp-listen", required_argument, NULL, 'I' },
	{ "mask", required_argument, NULL, 'v' },
	{ "seal", required_argument, NULL, 'V' },
	{ NULL },
};

struct tool {
	struct sandbox s;
	struct arena arena;
	VEC(struct sandbox_bind) binds;
	VEC(const char *) env;
	struct sock_fprog programs[SECCOMP_PROGRAMS];
	struct grants grants;
	VEC(struct door_publish) publish;
	struct door_options door;
	struct door *opened;
	bool counts;
};

static _noreturn_ void die(const char *what)
{
	fprintf(stderr, "sandbox-tool: %s\n", what);
	exit(125);
}

static uint64_t number(const char *text)
{
	uint64_t v;

	if (str_u64(str_from(text), &v) < 0)
		die("not a number");
	return v;
}

static const char *part(struct tool *t, struct str *rest)
{
	const char *copy = arena_str(&t->arena, str_cut(rest, ':')).p;

	if (!copy)
		die("out of memory");
	return copy;
}

static void add_bind(struct tool *t, enum sandbox_bind_kind kind, const char *text)
{
	struct sandbox_bind b = { .kind = kind };
	struct str rest = str_from(text);

	if (kind == SANDBOX_BIND_TMPFS || kind > SANDBOX_BIND_FILE) {
		b.target = text;
	} else {
		b.source = part(t, &rest);
		if (kind == SANDBOX_BIND_OVERLAY) {
			b.upper = part(t, &rest);
			b.work = part(t, &rest);
		}
		b.target = rest.p ? part(t, &rest) : b.source;
	}
	if (vec_push(&t->binds, b) < 0)
		die("out of memory");
}

static void join(struct tool *t, const char *pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%s/ns/user", pid);
	t->s.user_ns = open(path, O_RDONLY | O_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/%s/ns/mnt", pid);
	t->s.mount_ns = open(path, O_RDONLY | O_CLOEXEC);
	if (t->s.user_ns < 0 || t->s.mount_ns < 0)
		die("cannot open the namespaces");
}

static void set_layer(struct sandbox_root *r, const char *value)
{
	static const char *const names[] = { [SANDBOX_LAYER_NONE] = "none",
		[SANDBOX_LAYER_SCRATCH] = "scratch", [SANDBOX_LAYER_DIRECT] = "direct" };

	r->layer = SANDBOX_LAYER_KEPT;
	r->layer_dir = value;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i] && strcmp(names[i], value) == 0)
			r->layer = (enum sandbox_layer)i;
}

static void set_seccomp(struct tool *t, const char *value)
{
	_cleanup_diag_ struct diag d = DIAG_INIT;
	struct seccomp_profile p;

	t->s.seccomp = value;
	if (!strchr(value, '/'))
		return;
	if (seccomp_profile_open(&p, value, &d) < 0 || seccomp_compile(&p, t->programs, &d) < 0)
		die(buf_text(&d.what));
	t->s.seccomp_programs = t->programs;
	seccomp_profile_done(&p);
}

static void set_rootfs(struct tool *t, const char *path)
{
	_cleanup_diag_ struct diag d = DIAG_INIT;

	t->s.root.kind = SANDBOX_ROOT_DIR;
	if (rootfs_check(&t->arena, path, NULL, &t->s.root.path, &d) < 0 ||
		rootfs_check_shape(t->s.root.path, &d) < 0)
		die(buf_text(&d.what));
}

static _noreturn_ void die_of(const struct diag *d)
{
	fprintf(stderr, "sandbox-tool: %s\n", buf_text(&d->what));
	exit(125);
}

static void set_net(struct tool *t, const char *value)
{
	struct diag d = DIAG_INIT;

	if (strcmp(value, "host") == 0 || strcmp(value, "none") == 0) {
		t->s.net = *value == 'h' ? SANDBOX_NET_HOST : SANDBOX_NET_NONE;
		return;
	}
	t->s.net = SANDBOX_NET_DOOR;
	if (grants_add(&t->grants, str_from(value), &d) < 0)
		die_of(&d);
}

static void add_publish(struct tool *t, const char *value)
{
	struct diag d = DIAG_INIT;
	struct door_publish p;

	t->s.net = SANDBOX_NET_DOOR;
	if (door_parse_publish(value, &p, &d) < 0)
		die_of(&d);
	if (vec_push(&t->publish, p) < 0)
		die("out of memory");
}

static int born(void *data, pid_t pid, int pidfd, struct diag *d)
{
	return door_born(data, pidfd, d);
}

static void open_door(struct tool *t)
{
	struct diag d = DIAG_INIT;

	if (t->s.net != SANDBOX_NET_DOOR)
		return;
	t->door.grants = &t->grants;
	t->door.publish = t->publish.v;
	t->door.npublish = t->publish.n;
	t->door.container = "tool";
	if (door_open(&t->opened, &t->door, &d) < 0)
		die_of(&d);
	t->s.door = door_sandbox(t->opened);
	t->s.born = born;
	t->s.born_data = t->opened;
}

static void close_door(struct tool *t)
{
	struct door_count *all = NULL;
	size_t n = 0;

	if (t->opened)
		door_drain(t->opened);
	if (t->counts && t->opened && door_counts(t->opened, &t->arena, &all, &n) < 0)
		fprintf(stderr, "counts: none\n");
	for (size_t i = 0; i < n; i++)
		fprintf(stderr, "counts: %s connections=%llu refused=%llu out=%llu in=%llu open=%u\n",
			all[i].grant, (unsigned long long)all[i].connections,
			(unsigned long long)all[i].refused, (unsigned long long)all[i].bytes_out,
			(unsigned long long)all[i].bytes_in, all[i].open);
	door_close(t->opened);
}

static void set(struct tool *t, int option, const char *value)
{
	static const char binds[] = "brTotlfs";
	static const enum sandbox_bind_kind kinds[] = { SANDBOX_BIND_RW, SANDBOX_BIND_RO,
		SANDBOX_BIND_TREE, SANDBOX_BIND_OVERLAY, SANDBOX_BIND_TMPFS, SANDBOX_BIND_SYMLINK,
		SANDBOX_BIND_FILE, SANDBOX_BIND_SCRATCH };
	struct sandbox *s = &t->s;

	if (strchr(binds, option)) {
		add_bind(t, kinds[strchr(binds, option) - binds], value);
		return;
	}
	switch (option) {
	case 'n':
		set_net(t, value);
		break;
	case 'q':
		add_publish(t, value);
		break;
	case 'j':
		t->door.log = open(value, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
		break;
	case 'm':
		t->door.connections = (unsigned)number(value);
		break;
	case 'i':
		t->door.idle_seconds = (unsigned)number(value);
		break;
	case 'k':
		t->counts = true;
		break;
	case 'S':
		set_seccomp(t, value);
		break;
	case 'h':
		s->hostname = value;
		break;
	case 'u':
		s->uid = (uid_t)number(value);
		break;
	case 'g':
		s->gid = (gid_t)number(value);
		break;
	case 'H':
		s->home = value;
		break;
	case 'C':
		s->cwd = value;
		break;
	case 'e':
		if (vec_push(&t->env, value) < 0)
			die("out of memory");
		break;
	case 'c':
		s->stdio = SANDBOX_STDIO_CAPTURE;
		break;
	case 'O':
		s->limits.output_max = number(value);
		break;
	case 'w':
		s->limits.seconds = (unsigned)number(value);
		break;
	case 'p':
		s->limits.processes = number(value);
		break;
	case 'z':
		s->limits.file_size = number(value);
		break;
	case 'a':
		s->limits.address_space = number(value);
		break;
	case 'N':
		s->limits.open_files = number(value);
		break;
	case 'x':
		s->limits.scratch = number(value);
		break;
	case 'R':
		set_rootfs(t, value);
		break;
	case 'M':
		s->root.kind = SANDBOX_ROOT_TREE;
		s->root.path = value;
		break;
	case 'L':
		set_layer(&s->root, value);
		break;
	case 'y':
		s->root.read_only = true;
		break;
	case 'Z':
		s->time_ns = true;
		break;
	case 'K':
		s->tcp_connect = value;
		break;
	case 'I':
		s->tcp_listen = value;
		break;
	case 'v':
	case 'V':
		add_bind(t, option == 'v' ? SANDBOX_BIND_MASK : SANDBOX_BIND_SEAL, value);
		break;
	case 'P':
		join(t, value);
		break;
	default:
		die("wrong usage");
	}
}

static void make_env(struct tool *t)
{
	const char *const *env;

	if (sandbox_env_default(&t->arena, &t->s, NULL, (const char *const *)environ, &env) < 0)
		die("out of memory");
	for (; *env; env++)
		if (vec_push(&t->env, *env) < 0)
			die("out of memory");
	if (vec_push(&t->env, NULL) < 0)
		die("out of memory");
	t->s.env = t->env.v;
}

static int doctor(void)
{
	_cleanup_arena_ struct arena a = ARENA_INIT;
	struct sandbox_check *checks;
	size_t n;

	if (sandbox_doctor(&a, &checks, &n) < 0)
		die("doctor failed");
	for (size_t i = 0; i < n; i++)
		printf("%-24s %-8s %s%s%s\n", checks[i].wall, checks[i].error ? "missing" : "holds",
			checks[i].detail, checks[i].fix ? "\n    fix: " : "",
			checks[i].fix ? checks[i].fix : "");
	return 0;
}

static int run(struct tool *t)
{
	_cleanup_diag_ struct diag d = DIAG_INIT;
	struct sandbox_result result;
	int r = sandbox_run(&t->s, &result, &d), status;

	if (r < 0) {
		fprintf(stderr, "sandbox-tool: %s\n", buf_text(&d.what));
		if (d.hint.len)
			fprintf(stderr, "sandbox-tool: %s\n", buf_text(&d.hint));
		return r == -ENOENT ? 127 : r == -EACCES ? 126 : 125;
	}
	status = sandbox_exit_status(&result);
	fwrite(buf_text(&result.output), 1, result.output.len, stdout);
	if (result.ended_by)
		fprintf(stderr, "sandbox-tool: ended by %s\n", result.ended_by);
	buf_done(&result.output);
	return status;
}

int main(int argc, char **argv)
{
	struct tool t = { .s = { .uid = getuid(), .gid = getgid(), .home = "/home/user",
		SANDBOX_INIT, .host_usr = true }, .door.log = -1, .door.counts = -1 };
	int option, status;

	if (argc == 2 && strcmp(argv[1], "doctor") == 0)
		return doctor();
	while ((option = getopt_long(argc, argv, "+", options, NULL)) >= 0)
		set(&t, option, optarg);
	if (optind == argc)
		die("no command");
	t.s.argv = (const char *const *)argv + optind;
	t.s.binds = t.binds.v;
	t.s.nbinds = t.binds.n;
	make_env(&t);
	open_door(&t);
	status = run(&t);
	close_door(&t);
	vec_done(&t.publish);
	grants_done(&t.grants);
	vec_done(&t.binds);
	vec_done(&t.env);
	arena_done(&t.arena);
	return status;
}
