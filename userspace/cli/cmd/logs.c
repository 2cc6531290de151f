// SPDX-License-Identifier: GPL-2.0-or-later
#include "container.h"
#include "base/fd.h"

#include <errno.h>
#include <unistd.h>

static bool arg_follow, arg_raw;
static uint64_t arg_tail = CONTAINER_LINES_ALL;

const struct opt logs_options[] = {
	OPT_FLAG("follow", 'f', &arg_follow),
	OPT_NUMBER("tail", 'n', "LINES", 0, UINT32_MAX, &arg_tail),
	OPT_FLAG("raw", 0, &arg_raw),
	OPT_ARGS("CONTAINER", 1, 1),
	OPT_END,
};

#define SEQUENCE_MAX 32

/*
 * What a program wrote when nobody was looking is not let at a terminal as it is: of its control codes only
 * colours pass (SGR: ESC [ digits and semicolons m), tabs and line ends; '?' stands for the others, and a
 * carriage return, which would write over the line, is left out. What may be the start of a sequence is
 * kept until it can be told, also from one read to the next.
 */
struct tame {
	char held[SEQUENCE_MAX];
	size_t n;
	int more;	/* bytes that a character still has */
};

/* How many bytes follow one that begins a character, but for 0xc2, which is looked at with the next. */
static int character(unsigned char ch)
{
	return ch < 0xc3 || ch > 0xf4 ? 0 : ch < 0xe0 ? 1 : ch < 0xf0 ? 2 : 3;
}

/* Outside of a character a terminal of 8 bits takes them for control codes. */
static bool is_plain(struct tame *t, unsigned char ch)
{
	bool within = t->more > 0 && (ch & 0xc0) == 0x80;

	t->more = within ? t->more - 1 : character(ch);
	return within || (ch >= ' ' && (ch < 0x7f || ch > 0x9f)) || ch == '\n' || ch == '\t';
}

static int hold(struct tame *t, struct buf *to, unsigned char ch)
{
	bool first = t->n == 1;
	int r;

	t->held[t->n++] = (char)ch;
	if (first ? ch == '[' : ((ch >= '0' && ch <= '9') || ch == ';') && t->n < SEQUENCE_MAX)
		return 0;
	if (ch != 'm' || first)
		t->held[0] = '?';
	/* What ended it may itself be the start of one. */
	if (!is_plain(t, ch))
		t->held[t->n - 1] = '?';
	r = buf_add(to, t->held, t->n);
	t->n = 0;
	return r;
}

static int tame(struct tame *t, struct buf *to, struct str s)
{
	int r = 0;

	for (size_t i = 0; i < s.n && r == 0; i++) {
		unsigned char ch = (unsigned char)s.p[i];
		bool after_c2 = t->n == 1 && (unsigned char)t->held[0] == 0xc2;

		if (after_c2) {	/* U+0080 to U+009F are control codes in one */
			t->n = 0;
			r = ch < 0xa0 ? buf_addc(to, '?') : buf_add(to, "\xc2", 1);
			if (r == 0 && ch >= 0xa0)
				r = buf_addc(to, (char)ch);
		} else if (t->n) {
			r = hold(t, to, ch);
		} else if (ch == 0x1b || ch == 0xc2) {
			t->held[t->n++] = (char)ch;
			t->more = 0;
		} else {
			bool plain = is_plain(t, ch);

			r = ch == '\r' ? 0 : buf_addc(to, plain ? (char)ch : '?');
		}
	}
	return r;
}

struct output {
	bool raw[2];
	struct tame tame[2];
};

/* Each to the stream that it came from, at once: somebody may be watching. */
static int put(void *data, int stream, const void *bytes, size_t n)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct output *o = data;
	int r;

	if (o->raw[stream - 1])
		return fd_write_all(stream, bytes, n);
	r = tame(&o->tame[stream - 1], &b, str_of(bytes, n));
	return r < 0 ? r : fd_write_all(stream, b.data, b.len);
}

int cmd_logs(struct cmd *c)
{
	struct output o = { .raw = { arg_raw || !isatty(1), arg_raw || !isatty(2) } };
	_cleanup_arena_ struct arena a = ARENA_INIT;
	struct container_record k;
	int r = container_named(c, &a, c->argv[0], &k);

	if (r == 0)
		r = container_logs(cmd_home(c), &k, arg_follow, arg_tail, put, &o, &c->diag);
	return r == -EPIPE ? 0 : r;
}
