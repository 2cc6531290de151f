// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * resolve-tool DIR PROJECT [LOCK]: resolves with saved metadata, checks the result, and prints it.
 *
 * DIR holds packuments, "@" and "/" as in the names but for "/" as "%2f"; an empty file is a package
 * that the registry does not have. PROJECT is a cratons.toml or a package.json. LOCK, a cratons.lock,
 * is the lockfile before. Exit status 3: metadata is missing, and standard output has the names, all
 * that are known to be wanted so far.
 *
 * Otherwise standard output is the lockfile, and standard error ends with a line of figures:
 * "N packages, N copies, N edges, parsed N ms, resolved N us".
 */
#include "base/fd.h"
#include "engine/registry/npm/import.h"
#include "engine/resolve/resolve.h"
#include "prim/err.h"
#include "prim/vec.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <time.h>

#define PACKUMENT_MAX ((size_t)256 << 20)

struct saved {
	int dirfd;
	struct arena arena;
	struct map packages;
	VEC(struct str) missing;
	int64_t parsing;	/* ns */
};

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static struct str file_of(struct arena *a, struct str name)
{
	size_t slash = str_find(name, '/', 0);

	if (slash == name.n)
		return arena_str(a, name);
	return arena_fmt(a, "%.*s%%2f%.*s", (int)slash, name.p, (int)(name.n - slash - 1),
		name.p + slash + 1);
}

static void saved_hint(void *data, const struct ecosystem *e, struct str name)
{
	struct saved *s = data;

	if (faccessat(s->dirfd, file_of(&s->arena, name).p, R_OK, 0) < 0)
		(void)vec_push(&s->missing, arena_str(&s->arena, name));
}

static int saved_get(void *data, const struct ecosystem *e, struct str name,
	const struct package **ret, struct diag *d)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	struct saved *s = data;
	struct package *p = map_get(&s->packages, name);
	int64_t start = now_ns();
	int k;

	if (p) {
		*ret = p;
		return 0;
	}
	k = file_slurp(s->dirfd, file_of(&s->arena, name).p, &text, PACKUMENT_MAX);
	if (k < 0)
		return diag_errno(d, k, "%.*s", STR_ARG(name));
	if (text.len == 0)
		return diag_fail(d, -ERR_NO_PACKAGE, "there is no package %.*s", STR_ARG(name));
	k = e->metadata_parse(buf_str(&text), name, "saved", &p, d);
	if (k == 0)
		k = map_put(&s->packages, arena_str(&s->arena, name), p);
	if (k == 0)
		*ret = p;
	s->parsing += now_ns() - start;
	return k;
}

static void say(void *data, const char *text)
{
	fprintf(stderr, "warning: %s\n", text);
}

static void quiet(void *data, const char *text)
{
}

static int read_project(const char *path, struct manifest **ret, struct diag *d)
{
	_cleanup_buf_ struct buf text = BUF_INIT, toml = BUF_INIT;
	struct npm_import_options o = { .name = STR("app"), .warn = quiet };
	int k = file_slurp(AT_FDCWD, path, &text, PACKUMENT_MAX);

	if (k < 0)
		return diag_errno(d, k, "%s", path);
	if (str_ends(str_from(path), STR(".toml")))
		return manifest_parse(ret, buf_str(&text), path, d);
	k = npm_import(buf_str(&text), path, &o, &toml, d);
	return k < 0 ? k : manifest_parse(ret, buf_str(&toml), path, d);
}

static int read_lock(const char *path, struct lockfile **ret, struct diag *d)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	int k = path ? file_slurp(AT_FDCWD, path, &text, PACKUMENT_MAX) : 0;

	if (!path || k < 0)
		return k;
	return lockfile_parse(ret, buf_str(&text), path, d);
}

static void print_figures(const struct saved *s, const struct lockfile *l, int64_t took)
{
	size_t edges = l->roots[0].ndependencies, distinct = 0;

	for (size_t i = 0; i < l->npackages; i++) {
		const struct lock_package *p = l->packages[i], *before = i ? l->packages[i - 1] : NULL;

		edges += p->ndependencies;
		distinct += !before || !str_eq(p->name, before->name) ||
			!str_eq(p->version, before->version);
	}
	fprintf(stderr, "%zu packages, %zu copies, %zu edges, parsed %jd ms, resolved %jd us\n",
		distinct, l->npackages, edges, (intmax_t)(s->parsing / 1000000),
		(intmax_t)((took - s->parsing) / 1000));
}

static int run(struct saved *s, const char *project, const char *lock, struct diag *d)
{
	_cleanup_(manifest_free_p) struct manifest *m = NULL;
	_cleanup_(lockfile_free_p) struct lockfile *before = NULL, *l = NULL;
	_cleanup_buf_ struct buf text = BUF_INIT;
	struct resolve_source source = { .hint = saved_hint, .get = saved_get, .data = s };
	struct resolve_options o = { .warn = say };
	int k = read_project(project, &m, d);
	int64_t start;

	if (k == 0)
		k = read_lock(lock, &before, d);
	if (k < 0)
		return k;
	o.locked = before;
	o.now = (int64_t)time(NULL) * 1000;
	start = now_ns();
	k = resolve(m, &source, &o, &l, d);
	start = now_ns() - start;
	if (k == 0)
		k = resolve_check(m, l, &source, d);
	if (k == 0)
		k = lockfile_print(l, &text);
	if (k < 0)
		return k;
	fwrite(text.data, 1, text.len, stdout);
	print_figures(s, l, start);
	return 0;
}

int main(int argc, char **argv)
{
	_cleanup_diag_ struct diag d = DIAG_INIT;
	struct saved s = { .dirfd = -1 };
	int k = -EINVAL;

	if (argc == 3 || argc == 4)
		s.dirfd = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s.dirfd < 0) {
		fprintf(stderr, "usage: resolve-tool DIR PROJECT [LOCK]\n");
		return 2;
	}
	k = run(&s, argv[2], argc == 4 ? argv[3] : NULL, &d);
	if (k < 0 && s.missing.n)
		vec_foreach(p, &s.missing)
			printf("%.*s\n", STR_ARG(*p));
	else if (k < 0)
		fprintf(stderr, "error: %s\n%s%s\n", buf_text(&d.what), d.hint.len ? "hint: " : "",
			buf_text(&d.hint));
	k = k == 0 ? 0 : s.missing.n ? 3 : 1;
	map_foreach(e, &s.packages)
		package_free(e->value);
	map_done(&s.packages);
	vec_done(&s.missing);
	arena_done(&s.arena);
	close(s.dirfd);
	return k;
}
