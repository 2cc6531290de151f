// SPDX-License-Identifier: GPL-2.0-or-later
/* A stream on its way through the automata. */
#include "base/mask-priv.h"

#include <errno.h>

/* White space within a form that may be broken: a line's end and the next one's indentation. */
#define GAP_MAX 32

static uint32_t next_node(const struct mask_automaton *a, uint32_t node, uint8_t byte)
{
	const struct mask_node *v = a->nodes.v;

	while (node) {
		uint32_t at = v[node].child;

		while (at && v[at].byte != byte)
			at = v[at].next;
		if (at)
			return at;
		node = v[node].fail;
	}
	return a->first[byte];
}

/* Nothing goes on from the end of a form that no other begins with: then less is to be kept. */
static uint32_t settle(const struct mask_automaton *a, uint32_t node)
{
	while (node && !a->nodes.v[node].child)
		node = a->nodes.v[node].fail;
	return node;
}

/* The place after `n` bytes that count. */
static size_t pass(const uint8_t *text, size_t at, size_t n)
{
	while (n > 0)
		n -= !mask_is_gap(text[at++]);
	while (mask_is_gap(text[at]))
		at++;
	return at;
}

/* Runs are in the order of their ends, and do not touch each other. */
static int add_run(struct mask_stream *s, size_t from, size_t to)
{
	for (; s->runs.n && s->runs.v[s->runs.n - 1].to >= from; s->runs.n--)
		from = MIN(from, s->runs.v[s->runs.n - 1].from);
	return vec_push(&s->runs, (struct mask_run){ from, to });
}

static int step_plain(struct mask_stream *s, const uint8_t *text, size_t at)
{
	const struct mask_automaton *a = &s->mask->plain;
	uint32_t node = next_node(a, s->plain.node, text[at]), found = a->nodes.v[node].found;

	s->plain.node = settle(a, node);
	s->plain.start = at + 1 - a->nodes.v[s->plain.node].depth;
	return found ? add_run(s, at + 1 - found, at + 1) : 0;
}

/* The beginning moves on by as many bytes that count as the automaton forgets. */
static int step_broken(struct mask_stream *s, const uint8_t *text, size_t at)
{
	const struct mask_automaton *a = &s->mask->broken;
	struct mask_place *p = &s->broken;
	uint32_t node, found, depth = a->nodes.v[p->node].depth;
	size_t from;
	int r = 0;

	if (mask_is_gap(text[at])) {
		if (p->node && ++p->gap > GAP_MAX)
			*p = (struct mask_place){ 0 };
		return 0;
	}
	if (!p->node)
		p->start = at;
	p->gap = 0;
	node = next_node(a, p->node, text[at]);
	found = a->nodes.v[node].found;
	if (found) {
		from = pass(text, p->start, depth + 1 - found);
		r = add_run(s, from, at + 1);
	}
	p->node = settle(a, node);
	if (p->node)
		p->start = pass(text, p->start, depth + 1 - a->nodes.v[p->node].depth);
	return r;
}

/* The next place where something can begin; the last byte can where it is a first one. Most places are
 * passed by MASK_STRIDE: every form is longer. */
static size_t skip(const struct mask *m, const uint8_t *text, size_t at, size_t n)
{
	while (at + 1 < n) {
		while (at + MASK_STRIDE < n && !mask_has_pair(m->near, text + at + MASK_STRIDE - 1))
			at += MASK_STRIDE;
		for (int i = 0; i < MASK_STRIDE && at + 1 < n; i++, at++)
			if (mask_has_pair(m->begins, text + at))
				return at;
	}
	return at < n && (m->plain.first[text[at]] || m->broken.first[text[at]]) ? at : n;
}

static int scan(struct mask_stream *s, const uint8_t *text, size_t at, size_t n)
{
	int r = 0;

	while (r == 0) {
		if (!s->plain.node && !s->broken.node)
			at = skip(s->mask, text, at, n);
		if (at == n)
			break;
		r = step_plain(s, text, at);
		if (r == 0)
			r = step_broken(s, text, at);
		at++;
	}
	return r;
}

static int put(struct mask_stream *s, const uint8_t *text, size_t to_place, struct buf *to)
{
	int r = 0;

	if (s->done < to_place) {
		r = buf_add(to, text + s->done, to_place - s->done);
		s->done = to_place;
		s->masked = false;
	}
	return r;
}

/* Puts out all before `safe`, and what is to be masked that begins there. */
static int put_until(struct mask_stream *s, const uint8_t *text, size_t safe, struct buf *to)
{
	size_t i = 0;
	int r = 0;

	for (; i < s->runs.n && s->runs.v[i].from < safe && r == 0; i++) {
		r = put(s, text, s->runs.v[i].from, to);
		if (r == 0 && !(s->masked && s->runs.v[i].from <= s->done))
			r = buf_adds(to, MASK_TEXT);
		s->masked = true;
		s->done = MAX(s->done, s->runs.v[i].to);
	}
	s->runs.n -= i;
	if (i)
		memmove(s->runs.v, s->runs.v + i, s->runs.n * sizeof(*s->runs.v));
	return r < 0 ? r : put(s, text, safe, to);
}

static size_t safe_place(const struct mask_stream *s, size_t n)
{
	return MIN(s->plain.node ? s->plain.start : n, s->broken.node ? s->broken.start : n);
}

/* What is kept begins at the byte that was `by`. */
static void move(struct mask_stream *s, size_t by)
{
	s->done -= by;
	s->plain.start -= s->plain.node ? by : s->plain.start;
	s->broken.start -= s->broken.node ? by : s->broken.start;
	vec_foreach(run, &s->runs) {
		run->from -= by;
		run->to -= by;
	}
}

int mask_feed(struct mask_stream *s, const void *bytes, size_t n, struct buf *to)
{
	size_t before = s->kept.len, safe;
	const uint8_t *text = bytes;
	int r = 0;

	/* What is kept begins with a byte that cannot be told; where nothing is, it need not be moved. */
	if (before) {
		r = buf_add(&s->kept, bytes, n);
		text = (const uint8_t *)buf_text(&s->kept);
		n += before;
	}
	if (r == 0)
		r = scan(s, text, before, n);
	safe = safe_place(s, n);
	if (r == 0)
		r = put_until(s, text, safe, to);
	if (r < 0)
		return r;
	move(s, safe);
	if (!before)
		return safe < n ? buf_add(&s->kept, text + safe, n - safe) : 0;
	memmove(s->kept.data, s->kept.data + safe, n - safe);
	s->kept.len = n - safe;
	return 0;
}

static uint32_t depth(const struct mask_automaton *a, const struct mask_place *p)
{
	return a->nodes.v[p->node].depth;
}

bool mask_waits(const struct mask_stream *s)
{
	return s->done < s->kept.len && depth(&s->mask->plain, &s->plain) <= MASK_SHORT &&
		depth(&s->mask->broken, &s->broken) <= MASK_SHORT;
}

/* The automata stay where they are, and what is kept with them. */
int mask_idle(struct mask_stream *s, struct buf *to)
{
	return mask_waits(s) ? put(s, (const uint8_t *)s->kept.data, s->kept.len, to) : 0;
}

int mask_end(struct mask_stream *s, struct buf *to)
{
	const struct mask *m = s->mask;
	size_t n = s->kept.len;
	int r = 0;

	if (depth(&m->plain, &s->plain) >= MASK_VALUE_MIN)
		r = add_run(s, s->plain.start, n);
	if (r == 0 && depth(&m->broken, &s->broken) >= MASK_VALUE_MIN)
		r = add_run(s, s->broken.start, n);
	if (r == 0)
		r = put_until(s, (const uint8_t *)buf_text(&s->kept), n, to);
	mask_stream_done(s);
	*s = (struct mask_stream){ .mask = m };
	return r;
}

void mask_stream_done(struct mask_stream *s)
{
	if (s->kept.data)
		explicit_bzero(s->kept.data, s->kept.cap);
	buf_done(&s->kept);
	vec_done(&s->runs);
}

int mask_text(const struct mask *m, struct str text, struct buf *to)
{
	struct mask_stream s = { .mask = m };
	int r = mask_feed(&s, text.p, text.n, to);

	if (r == 0)
		r = mask_end(&s, to);
	mask_stream_done(&s);
	return r;
}
