// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/scripts/build.h"

#include "base/arena.h"
#include "base/fd.h"
#include "engine/container/container.h"
#include "engine/env/materialize.h"
#include "engine/mount/mount.h"
#include "engine/scripts/ingest.h"
#include "prim/err.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>

#define BUILD_SECONDS	1800
#define OUTPUT_MAX	((uint64_t)4 << 20)
#define OUTPUT_SHOWN	2000
#define MODULES_AT	"/build/node_modules"
#define NODE_AT		BUILD_NODE_AT

struct build {
	const struct build_request *q;
	struct diag *diag;
	struct arena arena;
	struct mount_server *server;
	int fd;			/* the staging directory; `package` in it is the copy */
	struct str place;	/* its path under the home */
	struct buf host_dir;	/* absolute path of the copy */
};

static void add(struct hasher *h, struct str s)
{
	uint64_t n = s.n;

	hash_add(h, &n, sizeof(n));
	hash_add(h, s.p, s.n);
}

/* The file that would be executed, by what of it changes with every upgrade: running it to ask for its
 * version takes longer than all else that an installation with nothing to do does. */
struct digest build_host_node(void)
{
	static const char *const places[] = { "/usr/local/bin/node", "/usr/bin/node", "/bin/node" };
	uint64_t is[3] = { 0 };
	struct stat st;

	for (size_t i = 0; i < ARRAY_SIZE(places) && !is[0]; i++)
		if (stat(places[i], &st) == 0) {
			is[0] = (uint64_t)st.st_size;
			is[1] = (uint64_t)st.st_mtim.tv_sec;
			is[2] = (uint64_t)st.st_mtim.tv_nsec;
		}
	return hash_bytes(is, sizeof(is));
}

/* All that can show in the result. Of the host's tools only Node is among it. */
static struct digest inputs_key(const struct build_request *q)
{
	struct platform host = platform_host();
	struct digest node = q->node ? *q->node : build_host_node();
	struct hasher h;

	hash_init(&h);
	add(&h, STR("cratons build 2"));
	add(&h, host.os);
	add(&h, host.cpu);
	add(&h, host.libc);
	hash_add(&h, q->environment->b, DIGEST_SIZE);
	hash_add(&h, q->tree->b, DIGEST_SIZE);
	add(&h, q->path);
	hash_add(&h, node.b, DIGEST_SIZE);
	for (size_t i = 0; i < q->plan->n; i++) {
		add(&h, q->plan->steps[i].name);
		add(&h, q->plan->steps[i].command);
	}
	return hash_end(&h);
}

static bool done_before(const struct build_request *q, const struct digest *key, struct digest *ret)
{
	_cleanup_buf_ struct buf value = BUF_INIT;

	if (cas_fact_get(cas_writer_cas(q->writer), CAS_BUILD, str_of(key->b, DIGEST_SIZE),
			&value) < 0 || value.len != DIGEST_SIZE)
		return false;
	memcpy(ret->b, value.data, DIGEST_SIZE);
	return cas_writer_want(q->writer, ret);
}

static int stage(struct build *b)
{
	const struct build_request *q = b->q;
	struct materialize_result m;
	uint64_t random;
	int r;

	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		return -errno;
	b->place = arena_fmt(&b->arena, "build/%016llx", (unsigned long long)random);
	if (!b->place.p)
		return -ENOMEM;
	r = dir_make_all(q->home_fd, b->place.p, 0700);
	if (r < 0)
		return diag_errno(b->diag, r, "cannot make %s/%s", q->home, b->place.p);
	b->fd = openat(q->home_fd, b->place.p, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (b->fd < 0)
		return diag_errno(b->diag, -errno, "cannot open %s/%s", q->home, b->place.p);
	r = buf_addf(&b->host_dir, "%s/%s/package", q->home, b->place.p);
	return r < 0 ? r : materialize(cas_writer_cas(q->writer), b->fd, "package", q->tree,
		MATERIALIZE_AUTO, &m, b->diag);
}

static int script_env(struct build *b, const struct sandbox *s, const struct build_step *step,
	const char *const **ret)
{
	static const char *const nothing[] = { NULL };
	const struct build_plan *plan = b->q->plan;
	const char *path = arena_fmt(&b->arena, "%s" MODULES_AT "/%.*s.bin%s%.*s",
		b->q->node ? NODE_AT "/bin:" : "", STR_ARG(plan->bin_dir),
		plan->path_tail.n ? ":" : "", STR_ARG(plan->path_tail)).p;
	const char *const *base;
	const char **all;
	size_t n = 0;
	int r = path ? sandbox_env_default(&b->arena, s, path, nothing, &base) : -ENOMEM;

	if (r < 0)
		return r;
	while (base[n])
		n++;
	all = arena_newn(&b->arena, const char *, n + plan->nenv + 2);
	if (!all)
		return -ENOMEM;
	memcpy(all, base, n * sizeof(*all));
	for (size_t i = 0; i < plan->nenv; i++)
		all[n++] = plan->env[i].p;
	all[n] = arena_fmt(&b->arena, "npm_lifecycle_event=%.*s", STR_ARG(step->name)).p;
	*ret = all;
	return all[n] ? 0 : -ENOMEM;
}

static int script_failed(struct build *b, const struct build_step *step,
	const struct sandbox_result *result)
{
	struct str out = buf_str(&result->output);
	const char *why = result->ended_by;
	struct str shown = str_slice(out, out.n > OUTPUT_SHOWN ? out.n - OUTPUT_SHOWN : 0, out.n);

	if (why)
		diag_fail(b->diag, -ERR_BUILD, "the %.*s script of %.*s was ended by its limit: %s",
			STR_ARG(step->name), STR_ARG(b->q->package->id), why);
	else
		diag_fail(b->diag, -ERR_BUILD, "the %.*s script of %.*s failed with status %d",
			STR_ARG(step->name), STR_ARG(b->q->package->id),
			sandbox_exit_status(result));
	diag_where(b->diag, "%.*s", STR_ARG(step->command));
	return diag_hint(b->diag, "it ran without a network and could write only its own package; "
		"its output ends:\n%.*s", STR_ARG(shown));
}

static int run_step(struct build *b, const struct build_step *step)
{
	const struct build_request *q = b->q;
	const char *own = arena_fmt(&b->arena, MODULES_AT "/%.*s", STR_ARG(q->path)).p;
	const char *argv[] = { "/bin/sh", "-c", step->command.p, NULL };
	char hex[DIGEST_HEX], node_hex[DIGEST_HEX] = "";
	struct sandbox_bind binds[] = {
		{ .kind = SANDBOX_BIND_TREE, .target = MODULES_AT,
			.source = arena_fmt(&b->arena, "%s/%s", mount_server_path(b->server),
				digest_hex(q->environment, hex)).p },
		{ .kind = SANDBOX_BIND_RW, .source = buf_text(&b->host_dir), .target = own },
		{ .kind = SANDBOX_BIND_TREE, .target = NODE_AT,
			.source = arena_fmt(&b->arena, "%s/%s", mount_server_path(b->server),
				q->node ? digest_hex(q->node, node_hex) : "").p },
	};
	struct sandbox s = {
		.seccomp = "script",
		.uid = getuid(),
		.gid = getgid(),
		.user = "build",
		.home = "/home/build",
		.net = SANDBOX_NET_NONE,
		.binds = binds,
		.nbinds = q->node ? 3 : 2,
		.argv = argv,
		.cwd = own,
		.limits = { .output_max = OUTPUT_MAX,
			.seconds = q->seconds ? q->seconds : BUILD_SECONDS },
		.stdio = SANDBOX_STDIO_CAPTURE,
		.cgroup = -1,
		.user_ns = mount_server_user_ns(b->server),
		.mount_ns = mount_server_mount_ns(b->server),
		.host_usr = true,
	};
	struct sandbox_result result = { 0 };
	struct container_spec spec = {
		.profile = "script",
		.package = arena_str(&b->arena, q->package->id).p,
		.root = buf_text(&b->host_dir),
		.remove = true,
		.result = &result,
	};
	const char *id;
	int status, r = script_env(b, &s, step, &s.env);

	if (r == 0 && (!own || !binds[0].source || !binds[2].source))
		r = -ENOMEM;
	spec.sandbox = s;
	if (r == 0)
		r = container_run(q->home_fd, &b->arena, &spec, &id, &status, b->diag);
	if (r == 0 && (result.ended_by || sandbox_exit_status(&result) != 0))
		r = script_failed(b, step, &result);
	buf_done(&result.output);
	return r;
}

static int keep(struct build *b, const struct digest *key, struct digest *ret)
{
	_cleanup_fd_ int fd = openat(b->fd, "package", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct cas_writer *w = b->q->writer;
	int r = fd < 0 ? -errno : ingest_directory(w, fd, STR(""), ret, b->diag);

	if (r == 0)
		r = cas_writer_fact(w, CAS_BUILD, str_of(key->b, DIGEST_SIZE), ret->b, DIGEST_SIZE);
	return r < 0 ? r : cas_writer_flush(w, b->diag);
}

static void build_done(struct build *b)
{
	if (b->place.p)
		(void)remove_all(b->q->home_fd, b->place.p);
	fd_closep(&b->fd);
	mount_server_free(b->server);
	buf_done(&b->host_dir);
	arena_done(&b->arena);
}

int build_package(const struct build_request *q, struct digest *ret, bool *ret_ran, struct diag *d)
{
	_cleanup_(build_done) struct build b = { .q = q, .diag = d, .fd = -1 };
	struct digest key = inputs_key(q);
	int r;

	*ret_ran = false;
	if (done_before(q, &key, ret))
		return 0;
	/* The server reads the store: what it is to show must be in it. */
	r = cas_writer_flush(q->writer, d);
	if (r == 0)
		r = mount_server_join(&b.server, q->home_fd, q->home, d);
	if (r == 0)
		r = stage(&b);
	for (size_t i = 0; i < q->plan->n && r == 0; i++)
		r = run_step(&b, &q->plan->steps[i]);
	if (r == 0)
		r = keep(&b, &key, ret);
	if (r < 0)
		return d && d->code ? r : diag_errno(d, r, "running scripts");
	*ret_ran = true;
	return 0;
}
