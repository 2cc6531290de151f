// SPDX-License-Identifier: GPL-2.0-or-later
#include "container.h"
#include "base/fd.h"
#include "container_files.h"
#include "engine/sandbox/rootfs.h"
#include "net.h"
#include "engine/sandbox/seccomp.h"
#include "prim/err.h"
#include "running.h"
#include "secrets.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define SECONDS_MAX (365 * 86400)
#define CPUS_MAX    4096

static const char *arg_bundle, *arg_seccomp;
static const char *arg_name, *arg_hostname, *arg_user, *arg_workdir;
static const char *arg_memory, *arg_swap, *arg_cpu, *arg_output_max, *arg_log_max, *arg_scratch;
static const char *arg_tcp_connect, *arg_tcp_listen;
static bool arg_detach, arg_rm, arg_root, arg_best_effort;
static uint64_t arg_time, arg_stop_time, arg_pids, arg_cpu_weight, arg_io_weight, arg_open_files;
static struct opt_list arg_env, arg_env_file, arg_net, arg_publish;
static struct container_files_options arg_files;

const struct opt container_run_options[] = {
	OPT_TEXT("name", 0, "NAME", &arg_name),
	OPT_FLAG("detach", 'd', &arg_detach),
	OPT_FLAG("rm", 0, &arg_rm),
	OPT_TEXT("bundle", 'b', "DIR", &arg_bundle),
	OPT_TEXT("rootfs", 0, "DIR", &arg_files.rootfs),
	OPT_TEXT("tree", 0, "DIGEST", &arg_files.tree),
	OPT_FLAG("overlay", 0, &arg_files.overlay),
	OPT_TEXT("layer", 0, "DIR", &arg_files.layer),
	OPT_FLAG("read-only", 0, &arg_files.read_only),
	OPT_LIST("bind", 0, "SOURCE[:TARGET]", &arg_files.bind),
	OPT_LIST("ro-bind", 0, "SOURCE[:TARGET]", &arg_files.ro_bind),
	OPT_LIST("tmpfs", 0, "TARGET[:SIZE]", &arg_files.tmpfs),
	OPT_LIST("env", 'e', "NAME[=VALUE]", &arg_env),
	OPT_SECRETS,
	OPT_LIST("env-file", 0, "FILE", &arg_env_file),
	OPT_TEXT("workdir", 'w', "DIR", &arg_workdir),
	OPT_LIST("net", 0, "none|host|GRANT", &arg_net),
	OPT_TEXT("tcp-connect", 0, "none|PORTS", &arg_tcp_connect),
	OPT_TEXT("tcp-listen", 0, "none|PORTS", &arg_tcp_listen),
	OPT_LIST("publish", 'p', "[[ADDRESS:]PORT:]PORT", &arg_publish),
	OPT_TEXT("hostname", 0, "NAME", &arg_hostname),
	OPT_TEXT("seccomp", 0, "PROFILE", &arg_seccomp),
	OPT_TEXT("user", 0, "USER[:GROUP]", &arg_user),
	OPT_FLAG("root", 0, &arg_root),
	OPT_TEXT("memory", 'm', "SIZE", &arg_memory),
	OPT_TEXT("swap", 0, "SIZE", &arg_swap),
	OPT_NUMBER("pids", 0, "N", 1, UINT32_MAX, &arg_pids),
	OPT_TEXT("cpu", 0, "N", &arg_cpu),
	OPT_NUMBER("cpu-weight", 0, "N", 1, 10000, &arg_cpu_weight),
	OPT_NUMBER("io-weight", 0, "N", 1, 10000, &arg_io_weight),
	OPT_NUMBER("open-files", 0, "N", 8, UINT32_MAX, &arg_open_files),
	OPT_FLAG("best-effort", 0, &arg_best_effort),
	OPT_NUMBER("time", 0, "SECONDS", 1, SECONDS_MAX, &arg_time),
	OPT_TEXT("scratch", 0, "SIZE", &arg_scratch),
	OPT_TEXT("output-max", 0, "SIZE", &arg_output_max),
	OPT_TEXT("log-max", 0, "SIZE", &arg_log_max),
	OPT_NUMBER("stop-time", 0, "SECONDS", 1, SECONDS_MAX, &arg_stop_time),
	OPT_ARGS("COMMAND", 0, OPT_ANY_NUMBER),
	OPT_END,
};

struct making {
	struct cmd *c;
	struct arena arena;
	struct container_files files;
	struct net_choice net;
	struct door_publish publish[OPT_LIST_MAX];
	struct container_spec spec;
	struct sock_fprog programs[SECCOMP_PROGRAMS];	/* of a profile of the caller's own */
};

static void making_done(struct making *m)
{
	container_files_done(&m->files);
	for (size_t i = 0; i < SECCOMP_PROGRAMS; i++)
		free(m->programs[i].filter);
	net_choice_done(&m->net);
	arena_done(&m->arena);
}

/* In a directory that is the root names are those of its /etc/passwd; elsewhere, as in a directory that has
 * no /etc at all, only numbers are known. */
static int set_named_user(struct making *m)
{
	struct sandbox *s = &m->spec.sandbox;
	struct rootfs_user u;
	_cleanup_fd_ int root = open(s->root.kind == SANDBOX_ROOT_DIR ? s->root.path : "/proc",
		O_PATH | O_CLOEXEC);
	int r = root < 0 ? diag_errno(&m->c->diag, -errno, "cannot open %s", s->root.path) :
		rootfs_find_user(root, &m->arena, str_from(arg_user), &u, &m->c->diag);

	if (r < 0)
		return r;
	s->uid = u.uid;
	s->gid = u.gid;
	s->user = u.name ? u.name : u.uid ? "user" : "root";
	s->home = u.home && u.home[1] ? u.home : u.uid ? "/home/user" : "/root";
	return 0;
}

static int set_user(struct making *m)
{
	struct sandbox *s = &m->spec.sandbox;

	if (arg_user && arg_root)
		return diag_fail(&m->c->diag, -ERR_USAGE, "--user and --root exclude each other");
	if (arg_user)
		return set_named_user(m);
	s->uid = arg_root ? 0 : getuid();
	s->gid = arg_root ? 0 : getgid();
	s->user = s->uid ? "user" : "root";
	s->home = s->uid ? "/home/user" : "/root";
	return 0;
}

static int set_environment(struct making *m)
{
	const char *const *base, *const *files, *const *extra;
	struct sandbox *s = &m->spec.sandbox;
	int r = running_env_files(m->c, &m->arena, &arg_env_file, &files);

	if (r == 0)
		r = running_env(m->c, &m->arena, &arg_env, &extra);
	if (r == 0)
		r = sandbox_env_add(&m->arena, files, extra, &extra);
	if (r == 0)
		r = sandbox_env_default(&m->arena, s, NULL, (const char *const *)environ, &base);
	return r < 0 ? r : sandbox_env_add(&m->arena, base, extra, &s->env);
}

static int set_size(struct cmd *c, const char *option, const char *text, uint64_t *ret)
{
	if (!text || (cgroup_parse_size(text, ret) == 0 && *ret > 0))
		return 0;
	diag_fail(&c->diag, -ERR_USAGE, "--%s: '%s' is no size", option, text);
	return diag_hint(&c->diag, "bytes, or like 512K, 64M, 1.5G");
}

/* "1.5": processors, in millionths. */
static int set_cpu(struct cmd *c, uint64_t *ret)
{
	struct str part = str_from(arg_cpu), whole = str_cut(&part, '.');
	uint64_t n = 0, micros = 0, unit = 100000;
	bool ok = str_u64(whole, &n) == 0 && n <= CPUS_MAX && part.n <= 6 && !(part.p && !part.n);

	for (size_t i = 0; ok && i < part.n; i++, unit /= 10) {
		ok = part.p[i] >= '0' && part.p[i] <= '9';
		micros += (uint64_t)(part.p[i] - '0') * unit;
	}
	micros += n * 1000000;
	/* The kernel's least share is a millisecond of a period (Documentation/scheduler/sched-bwc.rst). */
	if (!ok || micros < 10000)
		return diag_fail(&c->diag, -ERR_USAGE, "--cpu: '%s' is no number of processors like 1.5, from "
			"0.01", arg_cpu);
	*ret = micros;
	return 0;
}

static int set_limits(struct making *m)
{
	struct sandbox_limits *rl = &m->spec.sandbox.limits;
	struct cgroup_limits *l = &m->spec.limits;
	int r = set_size(m->c, "memory", arg_memory, &l->memory);

	if (r == 0)
		r = set_size(m->c, "swap", arg_swap, &l->swap);
	if (r == 0)
		r = set_size(m->c, "scratch", arg_scratch, &rl->scratch);
	if (r == 0)
		r = set_size(m->c, "output-max", arg_output_max, &rl->output_max);
	if (r == 0)
		r = set_size(m->c, "log-max", arg_log_max, &m->spec.log_max);
	if (r == 0 && arg_cpu)
		r = set_cpu(m->c, &l->cpu_micros);
	l->pids = arg_pids;
	l->cpu_weight = arg_cpu_weight;
	l->io_weight = arg_io_weight;
	l->best_effort = arg_best_effort;
	rl->seconds = (unsigned)arg_time;
	rl->open_files = arg_open_files;
	return r;
}

/* A port that is published needs a door, though nothing be granted. */
static int set_net(struct making *m)
{
	int r = net_choose(m->c, &arg_net, SANDBOX_NET_NONE, &m->net);

	for (size_t i = 0; i < arg_publish.n && r == 0; i++)
		r = door_parse_publish(arg_publish.v[i], &m->publish[i], &m->c->diag);
	if (r < 0)
		return r;
	if (arg_publish.n && m->net.net == SANDBOX_NET_HOST)
		return diag_fail(&m->c->diag, -ERR_USAGE, "--publish is not of the host's network: there all "
			"its ports are the host's");
	m->spec.grants = &m->net.grants;
	m->spec.publish = m->publish;
	m->spec.npublish = arg_publish.n;
	m->spec.sandbox.net = arg_publish.n ? SANDBOX_NET_DOOR : m->net.net;
	return 0;
}

/* A file is compiled here; of what ships the compiled form is linked in. */
static int set_seccomp(struct making *m)
{
	struct seccomp_profile p;
	int r;

	if (!arg_seccomp)
		return 0;
	r = seccomp_profile_open(&p, arg_seccomp, &m->c->diag);
	if (r < 0)
		return r;
	m->spec.sandbox.seccomp = arg_seccomp;
	r = strchr(arg_seccomp, '/') ? seccomp_compile(&p, m->programs, &m->c->diag) : 0;
	if (m->programs[0].filter)
		m->spec.sandbox.seccomp_programs = m->programs;
	seccomp_profile_done(&p);
	return r;
}

/* The bundle says what runs, where, as whom and with which files. */
static int set_bundle(struct making *m)
{
	const struct container_files_options *f = &arg_files;

	if (m->c->argc || f->rootfs || f->tree || f->layer || f->overlay || f->read_only || f->bind.n ||
		f->ro_bind.n || f->tmpfs.n || arg_user || arg_root || arg_env.n || arg_env_file.n || arg_workdir ||
		arg_hostname)
		return diag_fail(&m->c->diag, -ERR_USAGE, "--bundle decides over the command, its files, "
			"user, environment and names: they are not given besides");
	return container_files_bundle(&m->files, m->c, &m->arena, arg_bundle, &m->spec);
}

static int make_spec(struct making *m)
{
	int r;

	m->spec = (struct container_spec){
		.name = arg_name,
		.profile = "container",
		.sandbox = {
			SANDBOX_INIT,
			.seccomp = "default",
			.hostname = arg_hostname ? arg_hostname : arg_name,
			.argv = (const char *const *)m->c->argv,
			.cwd = arg_workdir,
			.tcp_connect = arg_tcp_connect,
			.tcp_listen = arg_tcp_listen,
			.time_ns = true,
		},
		.stop_seconds = (unsigned)arg_stop_time,
		.detach = arg_detach,
		.cgroup = arg_detach,
		.warn = cmd_warn_text,
		.warn_data = m->c,
		.remove = arg_rm,
		.keep_env = true,
	};
	if (arg_workdir && arg_workdir[0] != '/')
		return diag_fail(&m->c->diag, -ERR_USAGE, "--workdir takes an absolute path");
	r = secrets_read(m->c, &arg_env);
	if (r == 0)
		r = set_net(m);
	if (r == 0)
		r = set_seccomp(m);
	if (r == 0)
		r = set_limits(m);
	if (r < 0)
		return r;
	if (arg_bundle)
		return set_bundle(m);
	if (m->c->argc == 0)
		return diag_fail(&m->c->diag, -ERR_USAGE, "a command is missing");
	r = container_files_make(&m->files, m->c, &m->arena, &arg_files, &m->spec);
	if (r == 0)
		r = set_user(m);
	return r < 0 ? r : set_environment(m);
}

/* The id is what a script that detaches wants; otherwise stdout is the command's. */
static void tell_id(struct cmd *c, const char *id)
{
	if (!c->use_json) {
		cmd_print(c, "%s\n", id);
		return;
	}
	json_out_open(&c->json, '{');
	json_out_key(&c->json, "id");
	json_out_text(&c->json, id);
	json_out_close(&c->json, '}');
}

int cmd_container_run(struct cmd *c)
{
	_cleanup_(making_done) struct making m = { .c = c };
	const char *id = NULL;
	int home = cmd_home(c), status = 0, r;

	if (home < 0)
		return home;
	if (c->use_json && !arg_detach)
		return diag_fail(&c->diag, -ERR_USAGE, "--json is for --detach: stdout is the command's");
	r = make_spec(&m);
	if (r < 0)
		return diag_under(&c->diag, c->diag.code ? r :
			diag_errno(&c->diag, r, "preparing the container"), -ERR_CONTAINER);
	m.spec.sandbox.secrets = arg_secrets.v;
	m.spec.sandbox.nsecrets = arg_secrets.n;
	r = container_run(home, &m.arena, &m.spec, &id, &status, &c->diag);
	if (r == 0 && arg_detach)
		tell_id(c, id);
	if (r == -ENOENT && strchr(m.spec.sandbox.argv[0], ':'))
		diag_hint(&c->diag, "-v is --verbose: files are bound by --bind SOURCE:TARGET");
	return container_outcome(c, r, status);
}
