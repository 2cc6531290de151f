/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CRATONS_BASE_MASK_PRIV_H
#define CRATONS_BASE_MASK_PRIV_H

#include "base/mask.h"

/* A beginning of one or more forms. Node 0 is the empty one; children are a list through `next`. */
struct mask_node {
	uint32_t child, next;
	uint32_t fail;		/* the longest beginning of any form that this one ends with */
	uint32_t depth;
	uint32_t found;		/* the length of the longest form that this ends with, or 0 */
	uint8_t byte;
};

struct mask_automaton {
	VEC(struct mask_node) nodes;
	uint32_t first[256];	/* the root's children by their byte */
};

struct mask {
	struct mask_automaton plain, broken;
	/* A bit for each two bytes: with which something can begin; which can be among the first of something
	 * that begins up to MASK_STRIDE - 1 bytes before. */
	uint8_t begins[65536 / 8], near[65536 / 8];
};

#define MASK_STRIDE 4

static inline unsigned mask_pair(uint8_t first, uint8_t second)
{
	return first | (unsigned)second << 8;
}

static inline bool mask_has_pair(const uint8_t *set, const uint8_t *at)
{
	unsigned pair = mask_pair(at[0], at[1]);

	return set[pair / 8] & 1 << pair % 8;
}

static inline bool mask_is_gap(uint8_t c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* mask_forms.c: hands each form of the value to `add`. */
struct mask_sink {
	int (*add)(void *data, bool broken, struct str form);
	void *data;
};
int mask_forms(struct str value, const struct mask_sink *to);

#endif
