// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/version/version.h"

#include "prim/err.h"
#include "prim/vec.h"

#include <errno.h>

#define LINE_MAX_BYTES ((size_t)1 << 20)
#define ARENA_KEPT     ((size_t)1 << 20)

struct batch {
	const struct version_scheme *scheme;
	unsigned flags;
	struct arena arena;
	FILE *in, *out;
	char *line;
	size_t cap;
};

/* 1 with a line, 0 at the end. */
static int next_line(struct batch *b, struct str *ret)
{
	ssize_t n;

	errno = 0;
	n = getline(&b->line, &b->cap, b->in);
	if (n < 0)
		return errno ? -errno : 0;
	if (n > 0 && b->line[n - 1] == '\n')
		n--;
	if ((size_t)n > LINE_MAX_BYTES)
		return -ERR_LIMIT;
	*ret = str_of(b->line, (size_t)n);
	return 1;
}

/* At the last tab: a requirement may have white space in it, a version has none. */
static bool split(struct str line, struct str *ret_a, struct str *ret_b)
{
	const char *tab = line.n ? memrchr(line.p, '\t', line.n) : NULL;

	if (!tab)
		return false;
	*ret_a = str_of(line.p, (size_t)(tab - line.p));
	*ret_b = str_of(tab + 1, (size_t)(line.p + line.n - tab - 1));
	return true;
}

const char *version_match(const struct version_scheme *s, struct arena *a, struct str requirement,
	struct str version, unsigned flags)
{
	struct requirement *r;
	struct version *v;

	if (s->requirement(a, requirement, flags, &r) < 0 || s->parse(a, version, flags, &v) < 0)
		return "invalid";
	return s->matches(r, v) ? "true" : "false";
}

const char *version_cmp(const struct version_scheme *s, struct arena *a, struct str left,
	struct str right, unsigned flags)
{
	struct version *x, *y;
	int r;

	if (s->parse(a, left, flags, &x) < 0 || s->parse(a, right, flags, &y) < 0)
		return "invalid";
	r = s->compare(x, y);
	return r < 0 ? "<" : r > 0 ? ">" : "=";
}

static int answer_lines(struct batch *b, enum version_op op)
{
	struct str line, left, right;
	const char *answer;
	int r;

	while ((r = next_line(b, &line)) > 0) {
		answer = "invalid";
		if (split(line, &left, &right))
			answer = (op == VERSION_MATCH ? version_match : version_cmp)(b->scheme,
				&b->arena, left, right, b->flags);
		if (fputs(answer, b->out) < 0 || fputc('\n', b->out) < 0)
			return -EIO;
		if (b->arena.used > ARENA_KEPT)
			arena_done(&b->arena);
	}
	return r;
}

struct sorted {
	struct str text;
	struct version *version;
	size_t at;
	const struct version_scheme *scheme;
};

static int by_order(const void *x, const void *y)
{
	const struct sorted *a = x, *b = y;
	int r = a->scheme->order(a->version, b->version);

	return r ? r : a->at < b->at ? -1 : 1;
}

int version_sort(const struct version_scheme *s, struct arena *a, struct str *texts, size_t n,
	unsigned flags, struct diag *d)
{
	_cleanup_free_ struct sorted *sorted = calloc(n + 1, sizeof(*sorted));
	int r;

	if (!sorted)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		sorted[i] = (struct sorted){ texts[i], NULL, i, s };
		r = s->parse(a, texts[i], flags, &sorted[i].version);
		if (r < 0)
			return diag_fail(d, r, "'%.*s' is not a version of %s",
				STR_ARG(str_slice(texts[i], 0, 256)), s->name);
	}
	qsort(sorted, n, sizeof(*sorted), by_order);
	for (size_t i = 0; i < n; i++)
		texts[i] = sorted[i].text;
	return 0;
}

static int sort_lines(struct batch *b, struct diag *d)
{
	_cleanup_free_ struct str *texts = NULL;
	VEC(struct str) lines = { 0 };
	struct str line;
	int r;

	b->arena.max = (size_t)1 << 30;
	while ((r = next_line(b, &line)) > 0) {
		if (!str_trim(line).n)
			continue;
		line = arena_str(&b->arena, line);
		r = line.p ? vec_push(&lines, line) : -ENOMEM;
		if (r < 0)
			break;
	}
	texts = lines.v;
	if (r == 0)
		r = version_sort(b->scheme, &b->arena, lines.v, lines.n, b->flags, d);
	if (r < 0)
		return r;
	vec_foreach(l, &lines)
		if (fwrite(l->p, 1, l->n, b->out) != l->n || fputc('\n', b->out) < 0)
			return -EIO;
	return 0;
}

int version_batch(const struct version_scheme *s, enum version_op op, unsigned flags, FILE *in,
	FILE *out, struct diag *d)
{
	struct batch b = { .scheme = s, .flags = flags, .in = in, .out = out };
	int r = op == VERSION_SORT ? sort_lines(&b, d) : answer_lines(&b, op);

	arena_done(&b.arena);
	free(b.line);
	if (r == 0 && fflush(out) != 0)
		r = -errno;
	return r < 0 && (!d || !d->code) ? diag_errno(d, r, "the batch cannot be read") : r;
}
