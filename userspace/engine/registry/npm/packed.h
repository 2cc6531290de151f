/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A package's metadata as one run of bytes: what the cache keeps, and what releases are loaded from.
 * Numbers are the machine's own: the cache does not travel. The parts follow one another without gaps:
 *
 *	struct packed_head
 *	struct packed_release [nreleases]	ascending by version
 *	struct packed_tag [ntags]		ascending by name
 *	uint32_t words [nwords]			lists: a count, then the items
 *	uint32_t offsets [nstrings + 1]		of the strings in the bytes
 *	char bytes [nbytes]
 *
 * A string is an index into offsets, a list an index into words; string 0 is "" and list 0 is empty.
 * The digest finds what was damaged; nothing is trusted for having the right one, so every index is
 * checked where it is used.
 */
#ifndef CRATONS_NPM_PACKED_H
#define CRATONS_NPM_PACKED_H

#include "base/map.h"
#include "engine/registry/registry.h"
#include "prim/vec.h"

#define PACKED_MAGIC 0x314d504eu	/* "NPM1": the last byte counts the format's versions */
#define PACKED_RELEASES_MAX 100000
#define PACKED_LIST_MAX	    10000

struct packed_head {
	struct digest digest;	/* of all that follows */
	uint32_t magic;
	uint32_t name;
	uint32_t nreleases, ntags, nwords, nstrings, nbytes;
	uint32_t reserved;
};
_Static_assert(sizeof(struct packed_head) == 64, "stored as it is");

#define PACKED_SCRIPTS 1u
#define PACKED_URL_IS_PREFIX 2u	/* the version and ".tgz" follow */

struct packed_release {
	int64_t published;
	uint32_t version, deprecated, url, integrity, engines;
	uint32_t dependencies;	/* alias, requirement, kind */
	uint32_t bins;		/* name, path */
	uint32_t bundled, os, cpu, libc;
	uint32_t flags;
};
_Static_assert(sizeof(struct packed_release) == 56, "stored as it is");

struct packed_tag {
	uint32_t name, version;
};

/* Filled by the parser, one string, list and release after the other. */
struct packer {
	struct map known;		/* strings that may come again → their number */
	VEC(uint32_t) offsets;
	VEC(uint32_t) words;
	VEC(struct packed_release) releases;
	VEC(struct packed_tag) tags;
	struct buf bytes;
	int error;			/* the first -ENOMEM or -ERR_LIMIT; all calls do nothing after */
};

int packer_init(struct packer *k);
void packer_done(struct packer *k);
/* A string of its own, and one that is kept once (it must live as long as the packer). */
uint32_t packer_string(struct packer *k, struct str s);
uint32_t packer_shared(struct packer *k, struct str s);
/* The whole as a package. The releases and tags must be in their order. */
int packer_end(struct packer *k, struct str name, struct package **ret);

int npm_metadata_pack(const struct package *p, struct buf *ret);
int npm_metadata_unpack(struct str packed, struct str name, struct package **ret, struct diag *d);

#endif
