/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keeps values out of a stream of bytes: each run of bytes that is one of the values, or one of the forms
 * in which values are usually printed, is replaced by "***", however the stream is cut.
 *
 * The forms: the value; each of its lines; quoted as JSON, shells, URLs and XML have it; and base64 (both
 * alphabets, at each of the three alignments that it can have in what is encoded) and hexadecimal, which may
 * be broken by white space. Any other transformation is not recognized.
 *
 * Bytes are kept back only while they may be the beginning of a form: one automaton (Aho and Corasick,
 * CACM 18(6), 1975) for what is compared as it is and one for what may be broken, whose depths say how many.
 */
#ifndef CRATONS_BASE_MASK_H
#define CRATONS_BASE_MASK_H

#include "prim/buf.h"
#include "prim/vec.h"

#define MASK_TEXT      "***"
#define MASK_VALUE_MIN 8	/* what is shorter is also part of much else */
#define MASK_VALUE_MAX ((size_t)32 << 10)
#define MASK_NODES_MAX ((size_t)1 << 20)	/* of all forms of all values: bytes they do not share */
/* A beginning of so many bytes is let out when nothing follows it: a prompt, the echo of a key. What
 * follows later is masked all the same. */
#define MASK_SHORT     3

struct mask;

/* -EINVAL: a value is shorter or longer than it may be; -ERR_LIMIT: together they are too many. */
int mask_new(struct mask **ret, const struct str *values, size_t n);
void mask_free(struct mask *m);
DEFINE_CLEANUP(struct mask *, mask_free);

/* A run of bytes to be masked: [from, to) of what is kept. */
struct mask_run {
	size_t from, to;
};

/* Where each automaton is in a stream. */
struct mask_place {
	uint32_t node;
	uint32_t gap;		/* white space since the last byte that counted */
	size_t start;		/* of what is kept: where its beginning begins */
};

/* Of one stream; all zero but for `mask`, which is borrowed. */
struct mask_stream {
	const struct mask *mask;
	struct buf kept;
	struct mask_place plain, broken;
	VEC(struct mask_run) runs;
	size_t done;		/* of what is kept, so much was put out or masked */
	bool masked;		/* the last that was put out was MASK_TEXT */
};

void mask_stream_done(struct mask_stream *s);

/* Appends to `to` what can be told of the stream now. 0 or -ENOMEM. */
int mask_feed(struct mask_stream *s, const void *bytes, size_t n, struct buf *to);
/* Whether mask_idle would let something out. */
bool mask_waits(const struct mask_stream *s);
int mask_idle(struct mask_stream *s, struct buf *to);
/* The end of the stream: a beginning that is as long as a value may be is masked, a shorter one let out. */
int mask_end(struct mask_stream *s, struct buf *to);

/* All of a text, by itself. */
int mask_text(const struct mask *m, struct str text, struct buf *to);

#endif
