/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A pack: the small objects of one archive in one file, with what is needed to index it again.
 *
 *	"CRPACK1\0" · the objects' bytes · table · source · footer
 *
 * Its id is the BLAKE3 of table, source and footer; its objects are verified by their own digests.
 * The footer holds a random number, so that no two packs ever have one name and a pack can be
 * removed without asking who else might just have written it. Integers are little-endian.
 */
#ifndef CRATONS_CAS_PACK_H
#define CRATONS_CAS_PACK_H

#include "prim/buf.h"
#include "prim/diag.h"
#include "prim/hash.h"
#include "prim/vec.h"

#define PACK_MAGIC "CRPACK1"
#define PACK_END   "CRPACKE"
/* A pack that reaches this is closed and the next one begun: bounds what a put holds in memory. */
#define PACK_FULL	((size_t)8 << 20)
#define PACK_SOURCE_MAX 4096
#define PACK_TABLE_MAX	((size_t)256 << 20)

struct pack_disk_entry {
	struct digest digest;
	uint32_t offset;	/* in the file */
	uint32_t size;
} _packed_;
_Static_assert(sizeof(struct pack_disk_entry) == 40, "pack entry");

struct pack_footer {
	uint32_t count;
	uint32_t source;	/* bytes */
	uint64_t table;		/* offset */
	uint8_t nonce[16];
	struct digest tree;	/* that the source led to; zero without a source */
	char magic[8];
} _packed_;
_Static_assert(sizeof(struct pack_footer) == 72, "pack footer");

struct pack_entry {
	struct digest digest;
	uint32_t offset, size;
};

/* A pack in the making. */
struct pack_builder {
	struct buf data;
	VEC(struct pack_disk_entry) table;
};
void pack_builder_done(struct pack_builder *b);
/* `ret_offset` is where the object will be in the file. */
int pack_add(struct pack_builder *b, const struct digest *d, const void *bytes, size_t len,
	uint32_t *ret_offset);
/* Appends table and footer: b->data is then the file. */
int pack_end(struct pack_builder *b, struct str source, const struct digest *tree,
	struct digest *ret_id);

/* What a pack says about itself. */
struct pack {
	struct digest id;
	uint64_t bytes;
	VEC(struct pack_entry) entries;
	struct buf source;
	struct digest tree;
};
void pack_done(struct pack *p);
/* Reads and checks all but the objects: -ERR_DIGEST for anything but a pack of this id. */
int pack_read(struct pack *ret, int fd, const struct digest *id);

#endif
