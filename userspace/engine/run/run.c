// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/run/run.h"

#include "base/fd.h"
#include "engine/container/container.h"
#include "engine/mount/mount.h"
#include "engine/run/place.h"
#include "prim/err.h"
#include "prim/vec.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define MODULES	"node_modules"
#define NODE_AT	"/opt/cratons/node"
#define TOOLS_AT "/opt/cratons/tools"
#define PROJECT_AT "/opt/cratons/project"

struct run {
	const struct project *project;
	const struct run_options *options;
	struct diag *diag;
	struct arena arena;
	struct mount_server *server;
	bool cover_store;
	VEC(struct sandbox_bind) binds;
	struct sandbox sandbox;
};

static int add_bind(struct run *run, struct sandbox_bind b)
{
	if (!b.target || (b.kind != SANDBOX_BIND_TMPFS && !b.source))
		return -ENOMEM;
	return vec_push(&run->binds, b);
}

static int bind_tree(struct run *run, const struct digest *tree, const char *target)
{
	char hex[DIGEST_HEX];

	return add_bind(run, (struct sandbox_bind){
		.kind = SANDBOX_BIND_TREE,
		.source = arena_fmt(&run->arena, "%s/%s", mount_server_path(run->server),
			digest_hex(tree, hex)).p,
		.target = target,
	});
}

/* A directory of the project that is bound somewhere. Whatever ran in the project before may have
 * put links there: neither this nor the bind follows them. */
static int make_own(struct run *run, const char *below, const char **ret)
{
	const struct project *p = run->project;
	_cleanup_fd_ int fd = dir_open_below(p->fd, below, 0755);

	if (fd < 0) {
		diag_errno(run->diag, fd, "cannot make %s/%s", p->path, below);
		return fd == -ELOOP || fd == -ENOTDIR ? diag_hint(run->diag,
			"it has to be a directory, not a link: remove it") : fd;
	}
	*ret = arena_fmt(&run->arena, "%s/%s", p->path, below).p;
	return *ret ? 0 : -ENOMEM;
}

/* Kept in the project, so that it goes with it: the upper layer holds what tools wrote beside their
 * packages. */
static int bind_overlay(struct run *run, const char *target)
{
	const char *upper = NULL, *work = NULL;
	char hex[DIGEST_HEX];
	int r = make_own(run, ".cratons/overlay/upper", &upper);

	if (r == 0)
		r = make_own(run, ".cratons/overlay/work", &work);
	return r < 0 ? r : add_bind(run, (struct sandbox_bind){
		.kind = SANDBOX_BIND_OVERLAY,
		.source = arena_fmt(&run->arena, "%s/%s", mount_server_path(run->server),
			digest_hex(run->options->environment, hex)).p,
		.target = target,
		.upper = upper,
		.work = work,
		.no_links = true,
	});
}

/* Tools keep caches at these places in node_modules; they are directories of the environment, and
 * what is written goes into the project's .cratons. Packages themselves cannot be written. */
static int bind_caches(struct run *run, const char *modules)
{
	static const char *const names[] = { ".cache", ".vite", ".vite-temp" };
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(names) && r == 0; i++) {
		const char *below = arena_fmt(&run->arena, ".cratons/cache/%s", names[i]).p;
		const char *source = NULL;

		r = below ? make_own(run, below, &source) : -ENOMEM;
		if (r == 0)
			r = add_bind(run, (struct sandbox_bind){
				.kind = SANDBOX_BIND_RW,
				.source = source,
				.target = arena_fmt(&run->arena, "%s/%s", modules, names[i]).p,
				.no_links = true,
			});
	}
	return r;
}

static int bind_modules(struct run *run)
{
	const struct project *p = run->project;
	const char *modules = arena_fmt(&run->arena, "%s/" MODULES, p->path).p;
	int r;

	if (!modules)
		return -ENOMEM;
	/* The mount's place must be there; on the host it stays an empty directory. */
	if (mkdirat(p->fd, MODULES, 0755) < 0 && errno != EEXIST)
		return diag_errno(run->diag, -errno, "cannot make %s", modules);
	if (run->options->overlay)
		return bind_overlay(run, modules);
	r = bind_tree(run, run->options->environment, modules);
	return r < 0 ? r : bind_caches(run, modules);
}

/* Neither it nor what it lies in is a link. */
static bool is_there(int dir, const char *name)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS };
	int fd = (int)syscall(SYS_openat2, dir, name, &how, sizeof(how));
	bool there = fd >= 0;

	fd_closep(&fd);
	return there;
}

/*
 * What decides over later installations, or runs on the host by itself: a package that could write
 * these could grant itself anything. They are seen, and changed from outside. All of .git: who can name a
 * file in it can put another in the place of the directory, or of what `commondir` says, and git runs
 * programs that a config names; and its hooks may lie in .husky, as those of most packages. What is not
 * there can still be made, as a bind needs something to lie on; and a link is left to whoever made it, also
 * if that is made just now by who runs in another container of the project.
 */
static int bind_authority(struct run *run)
{
	static const char *const names[] = { MANIFEST_NAME, LOCKFILE_NAME, ".npmrc", ".cratons", ".git",
		".husky" };
	const struct project *p = run->project;
	int r = 0;

	/* Else the first command could make it. */
	if (run->options->environment && mkdirat(p->fd, ".cratons", 0755) < 0 && errno != EEXIST)
		return diag_errno(run->diag, -errno, "cannot make %s/.cratons", p->path);
	for (size_t i = 0; i < ARRAY_SIZE(names) && r == 0; i++) {
		const char *path = arena_fmt(&run->arena, "%s/%s", p->path, names[i]).p;

		if (is_there(p->fd, names[i]))
			r = add_bind(run, (struct sandbox_bind){ .kind = SANDBOX_BIND_RO, .source = path,
				.target = path, .optional = true, .no_links = true });
	}
	return r;
}

static int plan_binds(struct run *run)
{
	const struct run_options *o = run->options;
	int r = add_bind(run, (struct sandbox_bind){ .kind = SANDBOX_BIND_RW,
		.source = run->project->path, .target = run->project->path });

	if (r == 0)
		r = bind_authority(run);
	if (r == 0 && run->cover_store)
		r = add_bind(run, (struct sandbox_bind){ .kind = SANDBOX_BIND_TMPFS, .size = 4096,
			.target = arena_fmt(&run->arena, "%s", run->project->home).p });
	if (r == 0 && o->environment)
		r = bind_modules(run);
	/* A colon ends a place of PATH and cannot be quoted: such a project has a second name. */
	if (r == 0 && strchr(run->project->path, ':'))
		r = add_bind(run, (struct sandbox_bind){ .kind = SANDBOX_BIND_SYMLINK,
			.source = run->project->path, .target = PROJECT_AT });
	if (r == 0 && o->node)
		r = bind_tree(run, o->node, NODE_AT);
	if (r == 0 && o->tools)
		r = bind_tree(run, o->tools, TOOLS_AT "/" MODULES);
	return r;
}

/* Where commands are looked for before the host's: the tools', the project's, the Node's. */
static int command_path(struct run *run, struct buf *ret)
{
	const struct run_options *o = run->options;
	int r = 0;

	if (o->tools)
		r = buf_adds(ret, TOOLS_AT "/" MODULES "/.bin:");
	if (r == 0 && o->environment)
		r = buf_addf(ret, "%s/" MODULES "/.bin:", strchr(run->project->path, ':') ?
			PROJECT_AT : run->project->path);
	if (r == 0 && o->node)
		r = buf_adds(ret, NODE_AT "/bin:");
	if (ret->len)
		ret->data[--ret->len] = '\0';
	return r;
}

static int plan_environment(struct run *run)
{
	_cleanup_buf_ struct buf path = BUF_INIT;
	const char *const *base;
	int r = command_path(run, &path);

	if (r == 0)
		r = sandbox_env_default(&run->arena, &run->sandbox, path.len ? buf_text(&path) :
			NULL, run->options->caller_env, &base);
	return r < 0 ? r : sandbox_env_add(&run->arena, base, run->options->extra_env, &run->sandbox.env);
}

static void run_done(struct run *run)
{
	vec_done(&run->binds);
	mount_server_free(run->server);
	arena_done(&run->arena);
}

static bool has_repository(const struct run *run)
{
	return faccessat(run->project->fd, ".git", F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Where there was none, nothing could be sealed. */
static void tell_repository(const struct run *run)
{
	if (run->options->warn)
		run->options->warn(run->options->warn_data, "the command made .git here: git on the host runs "
			"what its config and hooks name, so look at them before");
}

/* A container like those of `cratons container`: listed while it lives, and no longer. */
static int run_it(struct run *run, int *ret_status)
{
	bool had = has_repository(run);
	const struct container_spec spec = {
		.profile = run->options->profile,
		.root = run->project->path,
		.sandbox = run->sandbox,
		.grants = run->options->grants,
		.remove = true,
		.warn = run->options->warn,
		.warn_data = run->options->warn_data,
	};
	const char *id;
	int r = container_run(run->project->home_fd, &run->arena, &spec, &id, ret_status, run->diag);

	if (!had && has_repository(run))
		tell_repository(run);
	return r;
}

int run_in_environment(const struct project *p, const struct run_options *o, int *ret_status,
	struct diag *d)
{
	_cleanup_(run_done) struct run run = { .project = p, .options = o, .diag = d };
	int r = run_check_place(p, o->user_home, o->expose_home, &run.cover_store, d);

	if (r == 0)
		r = mount_server_join(&run.server, p->home_fd, p->home, d);
	if (r < 0)
		return r;
	run.sandbox = (struct sandbox){
		.seccomp = "default",
		.uid = getuid(),
		.gid = getgid(),
		.user = getuid() ? "user" : "root",
		.home = "/home/user",
		.net = o->net,
		.argv = o->argv,
		.cwd = o->cwd ? o->cwd : p->path,
		.stdio = SANDBOX_STDIO_INHERIT,
		.secrets = o->secrets,
		.nsecrets = o->nsecrets,
		.cgroup = -1,
		.user_ns = mount_server_user_ns(run.server),
		.mount_ns = mount_server_mount_ns(run.server),
		.host_usr = true,
	};
	r = plan_binds(&run);
	if (r == 0)
		r = plan_environment(&run);
	if (r < 0)
		return d && d->code ? r : diag_errno(d, r, "preparing the container");
	run.sandbox.binds = run.binds.v;
	run.sandbox.nbinds = run.binds.n;
	return run_it(&run, ret_status);
}
