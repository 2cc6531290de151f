// SPDX-License-Identifier: GPL-2.0-or-later
/* npmrc-tool FILE…: the lines of each .npmrc as this program reads them, one JSON array a file, of
 * [key, value, list?]; null for a file that is refused. */
#include "base/fd.h"
#include "base/json.h"
#include "engine/fetch/npmrc.h"

#include <fcntl.h>
#include <stdio.h>

static int put_line(void *data, const struct npmrc_line *line)
{
	struct json_out *o = data;

	json_out_open(o, '[');
	json_out_str(o, line->key);
	json_out_str(o, line->value);
	json_out_bool(o, line->list);
	json_out_close(o, ']');
	return 0;
}

static int put_file(const char *path)
{
	_cleanup_arena_ struct arena a = ARENA_INIT;
	_cleanup_buf_ struct buf text = BUF_INIT, out = BUF_INIT;
	struct json_out o;
	int r = file_slurp(AT_FDCWD, path, &text, NPMRC_MAX);

	if (r < 0)
		return r;
	json_out_start(&o, &out, false);
	json_out_open(&o, '[');
	r = npmrc_parse(buf_str(&text), &a, put_line, &o);
	json_out_close(&o, ']');
	if (json_out_end(&o) < 0)
		return -1;
	puts(r < 0 ? "null" : buf_text(&out));
	return 0;
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (put_file(argv[i]) < 0)
			return 1;
	return 0;
}
