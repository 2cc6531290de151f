// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * resolve-cases FILE...: runs the scenarios of tests/cases/resolve and prints TAP.
 * resolve-cases --random N SEED: runs N that are made up, for what holds of every result.
 */
#include "scenario.h"

#include "base/fd.h"
#include "prim/err.h"

#include <fcntl.h>
#include <stdio.h>

struct run {
	unsigned count, failed;
	struct buf why;
};

typedef VEC(char *) texts;

static void texts_done(texts *t)
{
	vec_foreach(p, t)
		free(*p);
	vec_done(t);
}

static void hear(void *data, const char *text)
{
	texts *t = data;

	(void)vec_push(t, str_dup(str_from(text)));
}

static int once(const struct scenario *sc, const struct step *st, const struct lockfile *locked,
	bool update, uint64_t seed, texts *warnings, struct lockfile **ret, struct diag *d)
{
	struct scenario_source s;
	struct resolve_source source;
	struct resolve_options o = { .locked = locked, .now = st->now,
		.warn = warnings ? hear : NULL, .data = warnings };
	int k = scenario_source_init(&s, sc, st, seed);

	if (update) {
		o.update = st->update.v;
		o.nupdate = st->update.n;
		o.update_all = st->update_all;
	}
	source = scenario_source_of(&s);
	if (k == 0)
		k = resolve(&st->manifest, &source, &o, ret, d);
	if (k == 0) {
		k = resolve_check(&st->manifest, *ret, &source, d);
		if (k < 0) {
			diag_context(d, "resolve_check");
			lockfile_free(TAKE_PTR(*ret));
		}
	}
	scenario_source_done(&s);
	return k;
}

static void differ(struct run *run, const char *what, struct str want, struct str got)
{
	(void)buf_addf(&run->why, "%s\n  wanted:\n%.*s\n  got:\n%.*s\n", what, STR_ARG(want),
		STR_ARG(got));
}

static void compare_text(struct run *run, const char *what, struct str want, struct str got)
{
	if (!str_eq(want, got))
		differ(run, what, want, got);
}

static void compare_graph(struct run *run, const struct step *st, const struct lockfile *l)
{
	_cleanup_buf_ struct buf want = BUF_INIT, got = BUF_INIT;

	vec_foreach(p, &st->expect)
		(void)buf_addf(&want, "%.*s\n", STR_ARG(*p));
	(void)scenario_print(l, &got);
	compare_text(run, "the graph", buf_str(&want), buf_str(&got));
}

static void compare_warnings(struct run *run, const struct step *st, const texts *warnings)
{
	_cleanup_buf_ struct buf want = BUF_INIT, got = BUF_INIT;

	vec_foreach(p, &st->warnings)
		(void)buf_addf(&want, "%.*s\n", STR_ARG(*p));
	vec_foreach(p, warnings)
		(void)buf_addf(&got, "%s\n", *p);
	compare_text(run, "the warnings", buf_str(&want), buf_str(&got));
}

/* The same bytes, or the same failure. */
static void compare_again(struct run *run, const struct scenario *sc, const struct step *st,
	const struct lockfile *before, const struct lockfile *result, const char *failure,
	bool with_itself)
{
	_cleanup_buf_ struct buf want = BUF_INIT;

	if (result)
		(void)lockfile_print(result, &want);
	else
		(void)buf_adds(&want, failure);
	for (uint64_t seed = 1; seed <= 20; seed++) {
		_cleanup_(lockfile_free_p) struct lockfile *l = NULL;
		_cleanup_buf_ struct buf got = BUF_INIT;
		_cleanup_diag_ struct diag d = DIAG_INIT;
		bool last = seed == 20;

		/* The last time with what came out as the lockfile before. */
		if (last && !(result && with_itself))
			break;
		if (once(sc, st, last ? result : before, !last, seed * 0x9e3779b97f4a7c15, NULL,
			    &l, &d) < 0)
			(void)buf_adds(&got, buf_text(&d.what));
		else
			(void)lockfile_print(l, &got);
		compare_text(run, last ? "resolved again with its own result" :
					 "with another order of arrival", buf_str(&want), buf_str(&got));
		if (run->why.len)
			return;
	}
}

static void run_step(struct run *run, const struct scenario *sc, const struct step *st,
	struct lockfile **locked)
{
	_cleanup_(lockfile_free_p) struct lockfile *l = NULL;
	_cleanup_(texts_done) texts warnings = { 0 };
	_cleanup_diag_ struct diag d = DIAG_INIT;
	int k = once(sc, st, *locked, true, 0, &warnings, &l, &d);

	if (k < 0) {
		compare_text(run, "the error", st->error, buf_str(&d.what));
		compare_text(run, "the hint", st->hint, buf_str(&d.hint));
	} else if (st->error.n) {
		differ(run, "no error", st->error, (struct str){ "", 0 });
	} else {
		compare_graph(run, st, l);
	}
	compare_warnings(run, st, &warnings);
	if (run->why.len == 0)
		compare_again(run, sc, st, *locked, l, buf_text(&d.what), true);
	if (l) {
		lockfile_free(*locked);
		*locked = TAKE_PTR(l);
	}
}

static void report(struct run *run, const char *file, struct str title)
{
	run->count++;
	printf("%sok %u - %s: %.*s\n", run->why.len ? "not " : "", run->count, file,
		STR_ARG(title));
	if (run->why.len == 0)
		return;
	run->failed++;
	for (struct str rest = buf_str(&run->why); rest.p;) {
		struct str text = str_cut(&rest, '\n');

		printf("# %.*s\n", STR_ARG(text));
	}
}

static void run_scenario(struct run *run, const struct scenario *sc, const char *file)
{
	_cleanup_(lockfile_free_p) struct lockfile *locked = NULL;
	unsigned line = 0;

	buf_reset(&run->why);
	vec_foreach(st, &sc->steps) {
		line = st->line;
		run_step(run, sc, st, &locked);
		if (run->why.len)
			break;
	}
	report(run, file, sc->title);
	if (run->why.len)
		printf("# %s:%u\n", file, line);
}

static void run_file(struct run *run, const char *path)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	_cleanup_diag_ struct diag d = DIAG_INIT;
	_cleanup_(scenario_done) struct scenario_file f = { 0 };
	const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	int k = file_slurp(AT_FDCWD, path, &text, 1 << 20);

	if (k == 0)
		k = scenario_read(&f, buf_str(&text), name, &d);
	if (k < 0) {
		run->count++;
		run->failed++;
		printf("not ok %u - %s: %s (%s)\n", run->count, name, buf_text(&d.what),
			buf_text(&d.where));
		return;
	}
	vec_foreach(sc, &f.scenarios)
		run_scenario(run, sc, name);
}

/* Whatever comes out is the same in any order and well by resolve_check; and the same again, but for
 * what is optional and needs what does not exist: the next time another version may be tried. */
static void run_random(struct run *run, uint64_t seed, unsigned *resolved)
{
	_cleanup_(scenario_done) struct scenario_file f = { 0 };
	_cleanup_(lockfile_free_p) struct lockfile *locked = NULL;

	if (scenario_random(&f, seed, seed % 2) < 0)
		return;
	vec_foreach(st, &f.scenarios.v[0].steps) {
		_cleanup_(lockfile_free_p) struct lockfile *l = NULL;
		_cleanup_diag_ struct diag d = DIAG_INIT;
		int k = once(&f.scenarios.v[0], st, locked, true, 0, NULL, &l, &d);

		if (k < 0 && strncmp(buf_text(&d.what), "resolve_check", 13) == 0)
			differ(run, "resolve_check", (struct str){ "", 0 }, buf_str(&d.what));
		compare_again(run, &f.scenarios.v[0], st, locked, l, buf_text(&d.what), seed % 2);
		*resolved += k == 0;
		if (run->why.len) {
			scenario_write(&f.scenarios.v[0], &run->why);
			return;
		}
		if (l) {
			lockfile_free(locked);
			locked = TAKE_PTR(l);
		}
	}
}

static void run_randoms(struct run *run, uint64_t n, uint64_t seed)
{
	unsigned resolved = 0;

	for (uint64_t i = 0; i < n && run->why.len == 0; i++) {
		run_random(run, seed + i, &resolved);
		if (run->why.len)
			printf("# made from %ju\n", (uintmax_t)(seed + i));
	}
	/* If nearly nothing could be resolved, nearly nothing was tested. */
	if (resolved < n / 4)
		(void)buf_addf(&run->why, "only %u could be resolved", resolved);
	report(run, "random", STR("registries that nobody would think of"));
	printf("# %u resolved\n", resolved);
}

int main(int argc, char **argv)
{
	struct run run = { 0 };
	uint64_t n, seed;

	if (argc == 4 && str_is(str_from(argv[1]), "--random")) {
		if (str_u64(str_from(argv[2]), &n) < 0 || str_u64(str_from(argv[3]), &seed) < 0)
			return 2;
		run_randoms(&run, n, seed);
		argc = 0;
	}
	for (int i = 1; i < argc; i++)
		run_file(&run, argv[i]);
	printf("1..%u\n", run.count);
	buf_done(&run.why);
	return run.failed || !run.count;
}
