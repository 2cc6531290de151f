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

static void set_layer(struct tool *t, const char *value)
{
	struct sandbox_root *r = &t->s.root;
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

static void set_log(struct tool *t, const char *path)
{
	t->door.log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
}

static void add_env(struct tool *t, const char *value)
{
	if (vec_push(&t->env, value) < 0)
		die("out of memory");
}

static void capture(struct tool *t, const char *value)
{
	t->s.stdio = SANDBOX_STDIO_CAPTURE;
}

static void set_root_tree(struct tool *t, const char *path)
{
	t->s.root.kind = SANDBOX_ROOT_TREE;
	t->s.root.path = path;
}

/* What an option sets: a member of struct tool, a bind of a kind, or what a function makes of it. */
static const struct setting {
	const char *name;
	enum { TEXT, NUMBER, UNSIGNED, FLAG, BIND, CALL, CALL_BARE } how;
	size_t at;			/* BIND: its kind */
	void (*call)(struct tool *t, const char *value);
} settings[] = {
#define AT(member) offsetof(struct tool, member)
	{ "bind", BIND, SANDBOX_BIND_RW },		/* SOURCE[:TARGET], writable */
	{ "ro-bind", BIND, SANDBOX_BIND_RO },
	{ "tree", BIND, SANDBOX_BIND_TREE },		/* SOURCE:TARGET */
	{ "overlay", BIND, SANDBOX_BIND_OVERLAY },	/* LOWER:UPPER:WORK:TARGET */
	{ "tmpfs", BIND, SANDBOX_BIND_TMPFS },
	{ "scratch", BIND, SANDBOX_BIND_SCRATCH },
	{ "symlink", BIND, SANDBOX_BIND_SYMLINK },	/* LINK'S TARGET:PATH */
	{ "file", BIND, SANDBOX_BIND_FILE },		/* TEXT:PATH */
	{ "mask", BIND, SANDBOX_BIND_MASK },
	{ "seal", BIND, SANDBOX_BIND_SEAL },
	{ "net", CALL, .call = set_net },		/* none, host, or a grant */
	{ "publish", CALL, .call = add_publish },
	{ "door-log", CALL, .call = set_log },
	{ "door-connections", UNSIGNED, AT(door.connections) },
	{ "door-idle", UNSIGNED, AT(door.idle_seconds) },
	{ "door-counts", FLAG, AT(counts) },		/* printed to stderr at the end */
	{ "tcp-connect", TEXT, AT(s.tcp_connect) },
	{ "tcp-listen", TEXT, AT(s.tcp_listen) },
	{ "seccomp", CALL, .call = set_seccomp },
	{ "hostname", TEXT, AT(s.hostname) },
	{ "uid", UNSIGNED, AT(s.uid) },
	{ "gid", UNSIGNED, AT(s.gid) },
	{ "home", TEXT, AT(s.home) },
	{ "cwd", TEXT, AT(s.cwd) },
	{ "env", CALL, .call = add_env },
	{ "capture", CALL_BARE, .call = capture },	/* and print what was captured */
	{ "output-max", NUMBER, AT(s.limits.output_max) },
	{ "seconds", UNSIGNED, AT(s.limits.seconds) },
	{ "processes", NUMBER, AT(s.limits.processes) },
	{ "file-size", NUMBER, AT(s.limits.file_size) },
	{ "address-space", NUMBER, AT(s.limits.address_space) },
	{ "open-files", NUMBER, AT(s.limits.open_files) },
	{ "scratch-size", NUMBER, AT(s.limits.scratch) },
	{ "namespaces-of", CALL, .call = join },	/* a pid: its user and mount namespace */
	{ "rootfs", CALL, .call = set_rootfs },
	{ "root-tree", CALL, .call = set_root_tree },
	{ "layer", CALL, .call = set_layer },		/* none, scratch, direct, or the directory to keep it in */
	{ "read-only", FLAG, AT(s.root.read_only) },
	{ "time-namespace", FLAG, AT(s.time_ns) },
#undef AT
};

static void set(struct tool *t, const struct setting *o, const char *value)
{
	void *member = (char *)t + o->at;

	switch (o->how) {
	case TEXT:
		*(const char **)member = value;
		break;
	case NUMBER:
		*(uint64_t *)member = number(value);
		break;
	case UNSIGNED:
		*(unsigned *)member = (unsigned)number(value);
		break;
	case FLAG:
		*(bool *)member = true;
		break;
	case BIND:
		add_bind(t, (enum sandbox_bind_kind)o->at, value);
		break;
	case CALL:
	case CALL_BARE:
		o->call(t, value);
		break;
	}
}

/* The index of the first argument that is no option's. */
static int parse(struct tool *t, int argc, char **argv)
{
	struct option options[ARRAY_SIZE(settings) + 1] = { 0 };
	int option, i = 0;

	for (size_t n = 0; n < ARRAY_SIZE(settings); n++)
		options[n] = (struct option){ settings[n].name, settings[n].how == FLAG ||
			settings[n].how == CALL_BARE ? no_argument : required_argument, NULL, 1 };
	while ((option = getopt_long(argc, argv, "+", options, &i)) >= 0) {
		if (option != 1)
			die("wrong usage");
		set(t, &settings[i], optarg);
	}
	return optind;
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
	int status, first;

	if (argc == 2 && strcmp(argv[1], "doctor") == 0)
		return doctor();
	first = parse(&t, argc, argv);
	if (first == argc)
		die("no command");
	t.s.argv = (const char *const *)argv + first;
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
