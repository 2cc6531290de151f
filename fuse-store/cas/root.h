/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The file of a root: header, the digests of its trees, its name. */
#ifndef CRATONS_CAS_ROOT_H
#define CRATONS_CAS_ROOT_H

#include "cas/cas-write.h"

#define ROOT_MAGIC     "CRROOT1"
#define ROOT_NAME_MAX  4096
#define ROOT_TREES_MAX 65536
#define ROOT_BYTES_MAX ((size_t)4 << 20)

struct root_header {
	char magic[8];
	uint32_t name, trees;	/* bytes, number */
	struct digest sum;	/* of what follows */
};
_Static_assert(sizeof(struct root_header) == 48, "root header");

/* -ERR_DIGEST for anything but a root; what it returns points into `b`. */
int root_parse(struct cas_root *ret, const struct buf *b);

#endif
