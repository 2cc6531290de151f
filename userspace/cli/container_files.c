// SPDX-License-Identifier: GPL-2.0-or-later
/* The files that `cratons container run` gives: the root, and what is bound into it. */
#include "container_files.h"

#include "engine/mount/mount.h"
#include "engine/oci/oci.h"
#include "engine/run/find.h"
#include "engine/sandbox/rootfs.h"
#include "prim/err.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

static bool holds(const char *dir, const char *path)
{
	size_t n = strlen(dir);

	return n == 1 || (strncmp(dir, path, n) == 0 && (path[n] == '\0' || path[n] == '/'));
}

/* What decides over containers is no container's: it could write its own record, or read others' logs. */
static int check_home(struct container_files *f, const char *source, bool writable, bool *ret_cover)
{
	struct diag *d = &f->c->diag;

	*ret_cover = holds(source, f->home);
	if ((!*ret_cover && !holds(f->home, source)) || (*ret_cover && !writable))
		return 0;
	diag_fail(d, -ERR_CONTAINER, "%s %s %s, where Cratons keeps its own", source,
		*ret_cover ? "holds" : "is in", f->home);
	return diag_hint(d, *ret_cover ? "bind it read-only, or a directory that does not hold it" :
		"bind a directory outside of it");
}

static int check_target(struct container_files *f, const char *given, const char *target)
{
	if (!target || target[0] != '/' || !target[1])
		return diag_fail(&f->c->diag, -ERR_USAGE, "'%s': the place in the container is an absolute "
			"path, and not /", given);
	if (!strchr(target, ':'))
		return 0;
	diag_fail(&f->c->diag, -ERR_USAGE, "'%s': SOURCE:TARGET has one colon", given);
	return diag_hint(&f->c->diag, "--ro-bind is read-only, --bind writable: there are no options after it");
}

static int check_source(struct container_files *f, const char *source)
{
	struct stat st;

	if (stat(source, &st) < 0)
		return diag_errno(&f->c->diag, -errno, "cannot bind '%s'", source);
	if (!S_ISBLK(st.st_mode) && (!S_ISCHR(st.st_mode) || major(st.st_rdev) == 1))
		return 0;
	diag_fail(&f->c->diag, -ERR_CONTAINER, "cannot bind '%s': it is a device", source);
	return diag_hint(&f->c->diag, "a container has null, zero, full, random, urandom and terminals of its "
		"own, and no other device");
}

static int add_bind(struct container_files *f, const char *given, bool writable)
{
	struct str target = str_from(given), source = str_cut(&target, ':');
	_cleanup_free_ char *name = str_dup(source), *real = name ? realpath(name, NULL) : NULL;
	/* What was looked at is what is bound: nobody puts a link into its path meanwhile. */
	struct sandbox_bind b = { writable ? SANDBOX_BIND_RW : SANDBOX_BIND_RO, .no_links = true };
	struct sandbox_bind empty = { .kind = SANDBOX_BIND_TMPFS, .size = 4096 };
	bool cover = false;
	int r;

	if (!real)
		return diag_errno(&f->c->diag, -errno, "cannot bind '%.*s'", STR_ARG(source));
	b.source = arena_str(f->arena, str_from(real)).p;
	b.target = target.p ? target.p : b.source;
	r = check_target(f, given, b.target);
	if (r == 0)
		r = check_source(f, real);
	if (r == 0)
		r = check_home(f, real, writable, &cover);
	if (r == 0)
		r = vec_push(&f->binds, b);
	if (r < 0 || !cover)
		return r;
	empty.target = arena_fmt(f->arena, "%s%s", b.target, f->home + (real[1] ? strlen(real) : 0)).p;
	return empty.target ? vec_push(&f->binds, empty) : -ENOMEM;
}

static int add_tmpfs(struct container_files *f, const char *given)
{
	struct str size = str_from(given), target = str_cut(&size, ':');
	struct sandbox_bind b = { .kind = SANDBOX_BIND_TMPFS, .target = arena_str(f->arena, target).p };
	int r = check_target(f, given, b.target);

	if (r == 0 && size.p && (cgroup_parse_size(size.p, &b.size) < 0 || b.size == 0))
		r = diag_fail(&f->c->diag, -ERR_USAGE, "'%s': '%s' is no size", given, size.p);
	return r < 0 ? r : vec_push(&f->binds, b);
}

static size_t depth(const struct sandbox_bind *b)
{
	size_t n = 0;

	for (const char *p = b->target; *p; p++)
		n += p[0] == '/' && p[1] && p[1] != '/';
	return n;
}

/* What lies in another's target comes after it, whichever options they were given by; else as given. */
static void sort_binds(struct container_files *f)
{
	for (size_t i = 1; i < f->binds.n; i++) {
		struct sandbox_bind b = f->binds.v[i];
		size_t at = i;

		for (; at > 0 && depth(&f->binds.v[at - 1]) > depth(&b); at--)
			f->binds.v[at] = f->binds.v[at - 1];
		f->binds.v[at] = b;
	}
}

static int add_binds(struct container_files *f, const struct container_files_options *o)
{
	int r = 0;

	for (size_t i = 0; i < o->tmpfs.n && r == 0; i++)
		r = add_tmpfs(f, o->tmpfs.v[i]);
	for (size_t i = 0; i < o->ro_bind.n && r == 0; i++)
		r = add_bind(f, o->ro_bind.v[i], false);
	for (size_t i = 0; i < o->bind.n && r == 0; i++)
		r = add_bind(f, o->bind.v[i], true);
	if (r == 0)
		sort_binds(f);
	return r;
}

static int set_layer(struct container_files *f, const struct container_files_options *o,
	struct sandbox_root *root)
{
	_cleanup_free_ char *real = NULL;
	bool cover;

	root->read_only = o->read_only;
	if (o->overlay)
		root->layer = SANDBOX_LAYER_SCRATCH;
	if (!o->layer)
		return 0;
	if (o->overlay || o->read_only || root->kind == SANDBOX_ROOT_HOST)
		return diag_fail(&f->c->diag, -ERR_USAGE, "--layer is of --rootfs or --tree, and without "
			"--overlay and --read-only");
	if (mkdir(o->layer, 0700) < 0 && errno != EEXIST)
		return diag_errno(&f->c->diag, -errno, "cannot make %s", o->layer);
	real = realpath(o->layer, NULL);
	root->layer = SANDBOX_LAYER_KEPT;
	root->layer_dir = real ? arena_str(f->arena, str_from(real)).p : NULL;
	return root->layer_dir ? check_home(f, root->layer_dir, true, &cover) :
		diag_errno(&f->c->diag, -errno, "cannot use %s", o->layer);
}

static int set_rootfs(struct container_files *f, const char *path, struct sandbox_root *root)
{
	const char *apart[] = { f->home, getenv("HOME"), NULL };
	int r = rootfs_check(f->arena, path, apart, &root->path, &f->c->diag);

	root->kind = SANDBOX_ROOT_DIR;
	return r < 0 ? r : rootfs_check_shape(root->path, &f->c->diag);
}

static int set_tree(struct container_files *f, const char *text, struct sandbox_root *root)
{
	struct str hex = str_from(text);

	if (str_starts(hex, STR("blake3:")))
		hex = str_slice(hex, 7, hex.n);
	if (digest_parse(&f->tree, hex) < 0)
		return diag_fail(&f->c->diag, -ERR_USAGE, "'%s' is not a tree's digest", text);
	root->kind = SANDBOX_ROOT_TREE;
	f->has_tree = true;
	return 0;
}

/* In the supervisor: the lease keeps the tree from gc, the connection its mount from going. */
static int prepare_tree(void *data, struct sandbox *s, struct diag *d)
{
	struct container_files *f = data;
	char hex[DIGEST_HEX];
	int r = cas_writer_open(&f->lease, f->home_fd, d);

	if (r == 0)
		r = run_keep(f->lease, &f->tree, d);
	if (r == 0)
		r = mount_server_join(&f->server, f->home_fd, f->home, d);
	if (r < 0)
		return r;
	s->user_ns = mount_server_user_ns(f->server);
	s->mount_ns = mount_server_mount_ns(f->server);
	s->root.path = arena_fmt(f->arena, "%s/%s", mount_server_path(f->server),
		digest_hex(&f->tree, hex)).p;
	return s->root.path ? 0 : diag_errno(d, -ENOMEM, "preparing the container");
}

static void done_tree(void *data)
{
	struct container_files *f = data;

	mount_server_free(TAKE_PTR(f->server));
	cas_writer_free(TAKE_PTR(f->lease));
}

static int start(struct container_files *f, struct cmd *c, struct arena *a)
{
	_cleanup_free_ char *home = realpath(cmd_home_path(c), NULL);

	*f = (struct container_files){ .c = c, .arena = a, .home_fd = cmd_home(c) };
	f->home = home ? arena_str(a, str_from(home)).p : NULL;
	return f->home && f->home_fd >= 0 ? 0 :
		diag_errno(&c->diag, -errno, "cannot find %s", cmd_home_path(c));
}

/* In place, each source without its links. One that is not there is told of by the container. */
int container_files_bundle(struct container_files *f, struct cmd *c, struct arena *a, const char *bundle,
	struct container_spec *spec)
{
	int r = start(f, c, a);
	const char *apart[] = { f->home, getenv("HOME"), NULL };

	if (r == 0)
		r = oci_load(a, bundle, apart, spec, &c->diag);
	for (size_t i = 0; i < spec->sandbox.nbinds && r == 0; i++) {
		struct sandbox_bind *b = &spec->sandbox.binds[i];
		bool bound = b->kind == SANDBOX_BIND_RO || b->kind == SANDBOX_BIND_RW, cover;
		_cleanup_free_ char *real = bound ? realpath(b->source, NULL) : NULL;

		if (!real)
			continue;
		/* As writable: nothing is put over what a bundle binds. */
		r = check_home(f, real, true, &cover);
		b->source = arena_str(a, str_from(real)).p;
		b->no_links = true;
		if (r == 0 && !b->source)
			r = -ENOMEM;
	}
	return r;
}

int container_files_make(struct container_files *f, struct cmd *c, struct arena *a,
	const struct container_files_options *o, struct container_spec *spec)
{
	struct sandbox *s = &spec->sandbox;
	int r = start(f, c, a);

	if (r < 0)
		return r;
	if (o->rootfs && o->tree)
		return diag_fail(&c->diag, -ERR_USAGE, "--rootfs and --tree exclude each other");
	if (o->rootfs)
		r = set_rootfs(f, o->rootfs, &s->root);
	else if (o->tree)
		r = set_tree(f, o->tree, &s->root);
	s->host_usr = s->root.kind == SANDBOX_ROOT_HOST;
	spec->root = o->rootfs ? s->root.path : o->tree ? o->tree : NULL;
	if (r == 0)
		r = set_layer(f, o, &s->root);
	if (r == 0)
		r = add_binds(f, o);
	s->binds = f->binds.v;
	s->nbinds = f->binds.n;
	if (f->has_tree) {
		spec->prepare = prepare_tree;
		spec->done = done_tree;
		spec->data = f;
	}
	return r;
}

void container_files_done(struct container_files *f)
{
	vec_done(&f->binds);
}
