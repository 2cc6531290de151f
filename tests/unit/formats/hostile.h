/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A folder of files that must be refused, each for the reason in its first lines:
 *	# expect: a part of the sentence
 *	# hint: a part of the next step (may be left out) */
#ifndef CRATONS_TESTS_HOSTILE_H
#define CRATONS_TESTS_HOSTILE_H

#include "base/fd.h"
#include "prim/diag.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>

/* Parses, expects to be refused, and returns the code. */
typedef int (*hostile_parse)(struct str text, struct diag *d);

static inline struct str hostile_line(struct str *text, const char *prefix)
{
	struct str rest = *text, line = str_cut(&rest, '\n'), head = str_from(prefix);

	if (!str_starts(line, head))
		return str_of(NULL, 0);
	*text = rest;
	return str_trim(str_slice(line, head.n, line.n));
}

static inline bool hostile_has(const struct buf *text, struct str part)
{
	return part.n == 0 || memmem(buf_text(text), text->len, part.p, part.n);
}

static inline bool hostile_file(int dirfd, const char *name, int code, hostile_parse parse)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	_cleanup_diag_ struct diag d = DIAG_INIT;
	struct str text, expect, hint;
	int r;

	cr_assert_eq(file_slurp(dirfd, name, &b, 1 << 20), 0);
	text = buf_str(&b);
	expect = hostile_line(&text, "# expect:");
	hint = hostile_line(&text, "# hint:");
	cr_assert_gt(expect.n, 0, "%s does not say what it expects", name);
	r = parse(buf_str(&b), &d);
	if (r == code && d.code == code && d.where.len && hostile_has(&d.what, expect) &&
			hostile_has(&d.hint, hint))
		return true;
	cr_log_error("%s: %d at %s: %s (%s)", name, r, buf_text(&d.where), buf_text(&d.what),
		buf_text(&d.hint));
	return false;
}

static inline void hostile_folder(const char *path, size_t least, int code, hostile_parse parse)
{
	DIR *dir = opendir(path);
	size_t n = 0, wrong = 0;

	cr_assert_not_null(dir, "%s cannot be opened from here", path);
	for (struct dirent *e; (e = readdir(dir));) {
		if (e->d_name[0] == '.')
			continue;
		n++;
		wrong += !hostile_file(dirfd(dir), e->d_name, code, parse);
	}
	closedir(dir);
	cr_assert_geq(n, least);
	cr_assert_eq(wrong, 0);
}

#endif
