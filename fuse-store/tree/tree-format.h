/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A tree as bytes: header, directories, entries, chunk digests, strings, one after the other without
 * gaps. All integers are little-endian. docs/tree-format.md says what each field must hold.
 */
#ifndef CRATONS_TREE_TREE_FORMAT_H
#define CRATONS_TREE_TREE_FORMAT_H

#include "prim/attr.h"
#include "prim/hash.h"

#define TREE_MAGIC	"CRTREE1"	/* with its NUL: 8 bytes */
#define TREE_BYTES_MAX	((uint64_t)1 << 30)
#define TREE_CHUNKS_MAX (1u << 24)	/* in one tree: 1 TiB of large files */
#define TREE_EXECUTABLE 1		/* flag of a file */

struct tree_header {
	char magic[8];
	uint32_t ndirs;
	uint32_t nentries;
	uint32_t nchunks;
	uint32_t strings;	/* bytes of the string area */
	uint8_t zero[40];
} _packed_;
_Static_assert(sizeof(struct tree_header) == 64, "header");

/* Directories come in breadth-first order, so that index and position follow from the entries. */
struct tree_disk_dir {
	uint32_t first;		/* entry */
	uint32_t count;
	uint32_t parent;	/* directory */
	uint32_t self;		/* the entry that names it; 0 for the root */
	uint32_t depth;		/* names in its path */
	uint32_t path;		/* bytes of its path */
} _packed_;
_Static_assert(sizeof(struct tree_disk_dir) == 24, "directory");

struct tree_disk_entry {
	uint32_t name;		/* offset into the strings */
	uint16_t name_len;
	uint8_t kind;		/* enum tree_kind */
	uint8_t flags;
	uint64_t size;		/* file: bytes; symlink: bytes of the target */
	struct digest digest;	/* file, subtree */
	uint32_t extra;		/* large file: first chunk; symlink: offset of the target; directory: index */
} _packed_;
_Static_assert(sizeof(struct tree_disk_entry) == 52, "entry");

/* Chunks of a file: none up to TREE_CHUNK bytes. */
static inline uint64_t tree_chunks_of(uint64_t size, uint64_t chunk)
{
	return size <= chunk ? 0 : size / chunk + (size % chunk != 0);
}

#endif
