// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/node.h"
#include "prim/err.h"

#include <criterion/criterion.h>
#include <errno.h>

/* A store of a few trees in memory. */
struct shelf {
	struct tree *trees[8];
	struct buf bytes[8];
	size_t n;
	unsigned opened;
};

static int shelf_open(void *data, const struct digest *digest, const struct tree **ret)
{
	struct shelf *s = data;

	s->opened++;
	for (size_t i = 0; i < s->n; i++)
		if (digest_eq(tree_digest(s->trees[i]), digest)) {
			*ret = s->trees[i];
			return 0;
		}
	return -ERR_STORE_MISSING;
}

static struct digest shelve(struct shelf *s, struct tree_builder *b)
{
	struct digest digest;

	cr_assert_eq(tree_builder_end(b, &s->bytes[s->n], &digest), 0);
	cr_assert_eq(tree_open(&s->trees[s->n], s->bytes[s->n].data, s->bytes[s->n].len, &digest, NULL),
		0);
	s->n++;
	tree_builder_free(b);
	return digest;
}

static struct tree_builder *builder(void)
{
	struct tree_builder *b = NULL;

	cr_assert_eq(tree_builder_new(&b), 0);
	return b;
}

static void add(struct tree_builder *b, const char *path, const char *contents, bool executable)
{
	struct digest d = hash_bytes(contents, strlen(contents));

	cr_assert_eq(tree_builder_file(b, str_from(path), executable, strlen(contents), &d, NULL, 0), 0);
}

static struct digest package(struct shelf *s)
{
	struct tree_builder *b = builder();

	add(b, "index.js", "same", false);
	add(b, "bin/run", "same", true);
	add(b, "lib/copy.js", "same", false);
	cr_assert_eq(tree_builder_symlink(b, STR("link"), STR("lib/copy.js")), 0);
	return shelve(s, b);
}

static struct digest environment(struct shelf *s, const struct digest *package_)
{
	struct tree_builder *b = builder();

	cr_assert_eq(tree_builder_subtree(b, STR("a"), package_), 0);
	cr_assert_eq(tree_builder_subtree(b, STR("deep/b"), package_), 0);
	add(b, "top.js", "same", false);
	return shelve(s, b);
}

static struct node at(struct nodes *n, uint64_t dir, const char *path)
{
	struct str rest = str_from(path);
	struct node node = { .id = dir };

	while (rest.p)
		cr_assert_eq(nodes_lookup(n, node.id, str_cut(&rest, '/'), &node), 0, "%s", path);
	return node;
}

struct fixture {
	struct shelf shelf;
	struct nodes *nodes;
	struct digest package, env;
	char hex[DIGEST_HEX];
};

static void set_up(struct fixture *f, bool only)
{
	*f = (struct fixture){ 0 };
	f->package = package(&f->shelf);
	f->env = environment(&f->shelf, &f->package);
	digest_hex(&f->env, f->hex);
	cr_assert_eq(nodes_new(&f->nodes, shelf_open, &f->shelf, only ? &f->env : NULL), 0);
}

static void tear_down(struct fixture *f)
{
	nodes_free(f->nodes);
	for (size_t i = 0; i < f->shelf.n; i++) {
		tree_free(f->shelf.trees[i]);
		buf_done(&f->shelf.bytes[i]);
	}
}

Test(nodes, equal_files_are_one_node_and_directories_are_one_a_place)
{
	struct fixture f;
	uint64_t env;

	set_up(&f, false);
	env = at(f.nodes, NODE_ROOT, f.hex).id;
	cr_assert_eq(at(f.nodes, env, "a/index.js").id, at(f.nodes, env, "deep/b/lib/copy.js").id);
	cr_assert_eq(at(f.nodes, env, "a/index.js").id, at(f.nodes, env, "top.js").id);
	cr_assert_neq(at(f.nodes, env, "a/index.js").id, at(f.nodes, env, "a/bin/run").id);
	cr_assert_neq(at(f.nodes, env, "a").id, at(f.nodes, env, "deep/b").id);
	cr_assert_neq(at(f.nodes, env, "a/lib").id, at(f.nodes, env, "deep/b/lib").id);
	cr_assert_eq(at(f.nodes, env, "a/lib").id, at(f.nodes, env, "a/lib").id);
	digest_hex(&f.package, f.hex);
	cr_assert_neq(at(f.nodes, NODE_ROOT, f.hex).id, at(f.nodes, env, "a").id);
	tear_down(&f);
}

Test(nodes, numbers_stay_exact_in_a_double)
{
	struct fixture f;

	set_up(&f, false);
	uint64_t env = at(f.nodes, NODE_ROOT, f.hex).id;

	for (const char *const *p = (const char *const[]){ "a", "a/lib", "a/link", "top.js", NULL }; *p; p++)
		cr_assert_lt(at(f.nodes, env, *p).id, 1ull << 53);
	tear_down(&f);
}

Test(nodes, a_listing_opens_no_tree_below_it)
{
	struct fixture f;
	struct node_dir dir;
	struct node n;

	set_up(&f, false);
	cr_assert_eq(nodes_dir(f.nodes, at(f.nodes, NODE_ROOT, f.hex).id, &dir), 0);
	f.shelf.opened = 0;
	cr_assert_eq(dir.count, 3);
	for (uint32_t i = 0; i < dir.count; i++)
		cr_assert_eq(nodes_entry(f.nodes, &dir, i, &n), 0);
	cr_assert_eq(nodes_entry(f.nodes, &dir, 3, &n), -ENOENT);
	cr_assert_eq(f.shelf.opened, 0);
	tear_down(&f);
}

Test(nodes, numbers_that_were_not_given_out_are_stale)
{
	struct fixture f;
	struct node_dir dir;
	struct node n;

	set_up(&f, false);
	uint64_t env = at(f.nodes, NODE_ROOT, f.hex).id;
	uint64_t file = at(f.nodes, env, "top.js").id, link = at(f.nodes, env, "a/link").id;
	const uint64_t wrong[] = { 0, 2, 77, UINT64_MAX, file + 1, file | 1ull << 52, env + (1 << 23),
		env + (9ull << 24), link + 1, link + (1 << 20), 5ull << 48 };

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		int r = nodes_get(f.nodes, wrong[i], &n), q = nodes_dir(f.nodes, wrong[i], &dir);

		cr_assert(q < 0, "%llx is a directory", (unsigned long long)wrong[i]);
		cr_assert(r < 0 || n.kind == NODE_DIR, "%llx", (unsigned long long)wrong[i]);
	}
	cr_assert_eq(nodes_dir(f.nodes, file, &dir), -ENOTDIR);
	cr_assert_eq(nodes_dir(f.nodes, link, &dir), -ENOTDIR);
	tear_down(&f);
}

Test(nodes, the_root_holds_trees_by_their_digest_alone)
{
	struct fixture f;
	struct node_dir dir;
	struct node n;

	set_up(&f, false);
	cr_assert_eq(nodes_dir(f.nodes, NODE_ROOT, &dir), 0);
	cr_assert_eq(dir.count, 0);
	f.hex[3] = 'X';
	cr_assert_eq(nodes_lookup(f.nodes, NODE_ROOT, str_from(f.hex), &n), -ENOENT);
	cr_assert_eq(nodes_lookup(f.nodes, NODE_ROOT, STR("node_modules"), &n), -ENOENT);
	memset(f.hex, '7', sizeof(f.hex) - 1);
	cr_assert_eq(nodes_lookup(f.nodes, NODE_ROOT, str_from(f.hex), &n), -ENOENT);
	tear_down(&f);
}

Test(nodes, one_tree_can_be_the_root)
{
	struct fixture f;
	struct node_dir dir;

	set_up(&f, true);
	cr_assert_eq(nodes_dir(f.nodes, NODE_ROOT, &dir), 0);
	cr_assert_eq(dir.count, 3);
	cr_assert_eq(dir.parent, NODE_ROOT);
	cr_assert_eq(nodes_dir(f.nodes, at(f.nodes, NODE_ROOT, "deep").id, &dir), 0);
	cr_assert_eq(dir.parent, NODE_ROOT);
	cr_assert_eq(nodes_dir(f.nodes, at(f.nodes, NODE_ROOT, "deep/b").id, &dir), 0);
	cr_assert_eq(dir.parent, at(f.nodes, NODE_ROOT, "deep").id);
	tear_down(&f);
}

/* A tree that names a good file's digest beside the chunks of another must not be served that file's
 * pages, nor the good tree the other's. */
Test(nodes, a_digest_with_other_chunks_is_another_file)
{
	struct fixture f;
	struct digest whole = hash_bytes("w", 1), chunks[2][2] = { { hash_bytes("a", 1) } };
	struct tree_builder *b = builder();
	struct digest tree;

	set_up(&f, false);
	chunks[1][0] = hash_bytes("b", 1);
	for (int i = 0; i < 2; i++)
		cr_assert_eq(tree_builder_file(b, i ? STR("x") : STR("y"), false, TREE_CHUNK + 1, &whole,
			chunks[i], 2), 0);
	tree = shelve(&f.shelf, b);
	digest_hex(&tree, f.hex);
	uint64_t root = at(f.nodes, NODE_ROOT, f.hex).id;
	cr_assert_neq(at(f.nodes, root, "x").id, at(f.nodes, root, "y").id);
	tear_down(&f);
}

Test(nodes, neighbours_are_those_of_the_place_seen_last)
{
	struct fixture f;
	struct node_dir dir;
	struct node n;
	uint32_t i;

	set_up(&f, false);
	uint64_t env = at(f.nodes, NODE_ROOT, f.hex).id;

	cr_assert_eq(nodes_neighbours(f.nodes, at(f.nodes, env, "a/lib/copy.js").id, &dir, &i), 0);
	cr_assert_eq(nodes_entry(f.nodes, &dir, i, &n), 0);
	cr_assert(str_is(n.entry.name, "copy.js"));
	cr_assert_eq(nodes_neighbours(f.nodes, env, &dir, &i), -ENOENT);
	tear_down(&f);
}
