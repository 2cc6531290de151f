// SPDX-License-Identifier: GPL-2.0-or-later
/* The part of a page that is about one of the verbs below another: its lines of the synopsis, its item of
 * the description, the list that begins with "Of <verb>:", and examples in which it is called. */
#include "manpage.h"

#include "prim/err.h"

#include <errno.h>

struct below {
	struct buf *to;
	struct str verb;
	struct buf block;	/* of the synopsis, up to the next .Pp */
	struct str section;
	bool ours;		/* the block, the item or the list is about the verb */
	bool found;
};

static bool has_word(struct str line, struct str verb)
{
	while (line.p)
		if (str_eq(str_cut(&line, ' '), verb))
			return true;
	return false;
}

static int add_line(struct buf *b, struct str line)
{
	int r = buf_addstr(b, line);

	return r < 0 ? r : buf_addc(b, '\n');
}

/* The block that has gathered, if it is the verb's. */
static int end_block(struct below *w)
{
	int r = w->ours ? buf_addstr(w->to, buf_str(&w->block)) : 0;

	w->found |= w->ours;
	w->ours = false;
	buf_reset(&w->block);
	return r;
}

static int synopsis_line(struct below *w, struct str line)
{
	if (str_is(line, ".Pp"))
		return end_block(w);
	if (str_starts(line, STR(".Cm ")) && has_word(line, w->verb))
		w->ours = true;
	return add_line(&w->block, line);
}

/* Items of the description stand in one list, each list of options after its "Of". */
static int item_line(struct below *w, struct str line)
{
	if (str_starts(line, STR(".It Cm ")))
		w->ours = has_word(line, w->verb);
	else if (str_starts(line, STR(".El")))
		w->ours = false;
	else if (w->ours)
		return add_line(w->to, line);
	return 0;
}

static int option_line(struct below *w, struct str line)
{
	int r = 0;

	if (str_starts(line, STR(".Cm ")) && !w->ours && has_word(line, STR(":")))
		w->ours = has_word(line, w->verb);
	else if (w->ours)
		r = add_line(w->to, line);
	if (str_starts(line, STR(".El")))
		w->ours = false;
	return r;
}

static bool is_called(struct str line, struct str verb)
{
	return str_starts(line, STR(".Dl ")) && has_word(line, verb);
}

static int one_line(struct below *w, struct str line)
{
	int r;

	if (str_starts(line, STR(".Sh "))) {
		r = end_block(w);
		w->section = str_slice(line, 4, line.n);
		return r == 0 && (str_is(w->section, "SYNOPSIS") || str_is(w->section, "DESCRIPTION") ||
			str_is(w->section, "OPTIONS") || str_is(w->section, "EXAMPLES")) ?
			add_line(w->to, line) : r;
	}
	if (str_is(w->section, "SYNOPSIS"))
		return synopsis_line(w, line);
	if (str_is(w->section, "DESCRIPTION"))
		return item_line(w, line);
	if (str_is(w->section, "OPTIONS"))
		return option_line(w, line);
	return str_is(w->section, "EXAMPLES") && is_called(line, w->verb) ? add_line(w->to, line) : 0;
}

/* A section of which nothing is about the verb would be a title alone. */
static void drop_empty(struct buf *b, size_t from)
{
	struct str rest = str_slice(buf_str(b), from, b->len);
	size_t to = from;

	while (rest.n) {
		struct str line = str_cut(&rest, '\n');

		if (str_starts(line, STR(".Sh ")) && (!rest.n || str_starts(rest, STR(".Sh "))))
			continue;
		memmove(b->data + to, line.p, line.n);
		to += line.n;
		b->data[to++] = '\n';
	}
	b->len = to;
	b->data[to] = '\0';
}

int manpage_below(struct buf *ret, const char *mdoc, const char *verb)
{
	struct below w = { .to = ret, .verb = str_from(verb) };
	struct str rest = str_from(mdoc);
	size_t from = ret->len;
	int r = 0;

	while (rest.p && r == 0)
		r = one_line(&w, str_cut(&rest, '\n'));
	if (r == 0)
		r = end_block(&w);
	buf_done(&w.block);
	if (r < 0)
		return r;
	if (!w.found)
		return -ENOENT;
	drop_empty(ret, from);
	return 0;
}
