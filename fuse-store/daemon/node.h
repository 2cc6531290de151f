/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a node number names. The kernel may hand back any number that it was given, in any order, for
 * as long as the mount lives, and a wrong one must be harmless: a number is an index into tables
 * that is checked against their bounds, never a pointer, and forgetting a node does nothing.
 *
 *	1				the mount's root
 *	DIR  << 48 | place << 24 | i	directory i of the tree at a place
 *	LINK << 48 | place << 24 | i	the symlink that is entry i of that tree
 *	FILE << 48 | i			file i of the table of files
 *
 * The kernel allows one name a directory, so a tree that is mounted at two places is two sets of
 * directories: a place is (the place above, the subtree's entry in it), made when it is first seen.
 * Files are the opposite: the same contents with the same mode are one node wherever they are, and
 * so share one page cache. The numbers stay below 2^53, as JavaScript keeps st_ino in a double.
 *
 * All functions may be called by several threads at once.
 */
#ifndef CRATONS_DAEMON_NODE_H
#define CRATONS_DAEMON_NODE_H

#include "prim/diag.h"
#include "prim/hash.h"
#include "tree/tree.h"

#define NODE_ROOT 1

enum node_kind { NODE_DIR = 1, NODE_LINK, NODE_FILE };

/* A file or symlink as its first tree describes it; strings and chunks live as long as that tree. */
struct node {
	uint64_t id;
	enum node_kind kind;
	struct tree_entry entry;	/* unset for directories */
};

struct nodes;

/* Opens a tree, borrowed for as long as the table lives: -ERR_STORE_MISSING or another error. */
typedef int (*nodes_open_fn)(void *data, const struct digest *tree, const struct tree **ret);

/* With `only`, the root is the root of that tree; otherwise it holds any tree under its digest. */
int nodes_new(struct nodes **ret, nodes_open_fn open, void *data, const struct digest *only);
void nodes_free(struct nodes *n);
DEFINE_CLEANUP(struct nodes *, nodes_free);

/* -ESTALE for a number that was never given out. */
int nodes_get(struct nodes *n, uint64_t id, struct node *ret);

/* The entry of a directory with that name: -ENOENT, -ENOTDIR, -ESTALE; -ENFILE when a table is full;
 * what the opening function returned. */
int nodes_lookup(struct nodes *n, uint64_t dir, struct str name, struct node *ret);

/* A directory to be walked: its entries are nodes_entry(…, 0 … count - 1). */
struct node_dir {
	uint32_t place, dir;
	uint32_t first, count;
	uint64_t parent;
	const struct tree *tree;	/* NULL: the root that holds all trees */
};
int nodes_dir(struct nodes *n, uint64_t id, struct node_dir *ret);
int nodes_entry(struct nodes *n, const struct node_dir *dir, uint32_t i, struct node *ret);

/* Where a file was last handed out, for reading ahead among its neighbours: the directory's entries
 * and the index among them. -ENOENT when there is nothing to read ahead. */
int nodes_neighbours(struct nodes *n, uint64_t file, struct node_dir *ret, uint32_t *ret_i);

/* True the first time that it is asked for a file: who asks is to give its bytes to the kernel. */
bool nodes_claim(struct nodes *n, uint64_t file);

#endif
