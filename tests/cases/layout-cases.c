// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Runs the scenarios of tests/cases/layout: a lockfile in a few words, and the node_modules that it
 * gives. With --print it prints what comes out instead of comparing.
 */
#include "base/arena.h"
#include "base/fd.h"
#include "engine/env/select.h"
#include "engine/registry/registry.h"
#include "prim/vec.h"

#include <fcntl.h>
#include <stdio.h>

#define HASH "sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg=="
#define HEX  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

struct part {
	struct str line;	/* trimmed */
	VEC(struct str) edges;	/* "alias -> id", "optional alias -> id", "bin name path" */
};

struct scenario {
	struct arena arena;
	struct str title;
	bool hoisted, production, commands;
	VEC(struct part) packages;
	struct part root;
	struct buf wanted;
};

/* What compose asks for: trees that hold one file, named by the package. */
struct trees {
	struct arena arena;
	struct lockfile *lock;
	struct digest *digests;
	VEC(struct tree *) made;
	VEC(struct buf) bytes;
};

static void die(const char *what, struct str where)
{
	fprintf(stderr, "%s: '%.*s'\n", what, STR_ARG(where));
	exit(2);
}

static void must(int r, const char *what)
{
	if (r < 0)
		die(what, STR(""));
}

/* "word rest": the word is taken off. */
static struct str word(struct str *s)
{
	struct str w = str_cut(s, ' ');

	*s = str_trim(*s);
	return w;
}

/* "  text" of a section's line: how deep it is. */
static size_t depth(struct str line)
{
	size_t n = 0;

	while (n < line.n && line.p[n] == ' ')
		n++;
	return n;
}

/* `lines` is left at the line that belongs to none of the section. */
static void read_parts(struct scenario *s, struct str *lines, bool root)
{
	for (struct str rest = *lines, line = str_cut(&rest, '\n'); line.p && depth(line) >= 2;
			*lines = rest, line = str_cut(&rest, '\n')) {
		struct part part = { .line = str_trim(line) };

		if (root)
			must(vec_push(&s->root.edges, part.line), "memory");
		else if (depth(line) == 2)
			must(vec_push(&s->packages, part), "memory");
		else
			must(vec_push(&s->packages.v[s->packages.n - 1].edges, part.line), "memory");
	}
}

static void read_scenario(struct scenario *s, struct str lines)
{
	s->title = str_trim(str_cut(&lines, '\n'));
	while (lines.p) {
		struct str rest = lines, line = str_trim(str_cut(&rest, '\n')), what = word(&line);

		lines = rest;
		if (str_is(what, "layout"))
			s->hoisted = str_is(line, "hoisted");
		else if (str_is(what, "production"))
			s->production = true;
		else if (str_is(what, "commands"))
			s->commands = true;
		else if (str_is(what, "packages"))
			read_parts(s, &lines, false);
		else if (str_is(what, "root"))
			read_parts(s, &lines, true);
		else if (str_is(what, "gives"))
			for (; lines.p && depth(lines) >= 2; lines = rest) {
				rest = lines;
				line = str_trim(str_cut(&rest, '\n'));
				must(buf_addf(&s->wanted, "%.*s\n", STR_ARG(line)), "memory");
			}
		else if (what.n && what.p[0] != '#')
			die("unknown line", what);
	}
}

/* "alias -> id" as "\"alias\" = \"npm:id\"". */
static struct str split_edge(struct str text, struct str *ret_id)
{
	struct str alias = word(&text), arrow = word(&text);

	if (!str_is(arrow, "->"))
		die("no arrow in an edge", alias);
	*ret_id = text;
	return alias;
}

static void print_edges(const struct part *p, struct buf *ret)
{
	_cleanup_buf_ struct buf edges = BUF_INIT, optional = BUF_INIT, bins = BUF_INIT;
	struct str id;

	vec_foreach(e, &p->edges) {
		struct str text = *e, first = word(&text), alias;

		if (str_is(first, "bin")) {
			struct str name = word(&text);

			must(buf_addf(&bins, "%s\"%.*s\" = \"%.*s\"", bins.len ? ", " : "",
				STR_ARG(name), STR_ARG(text)), "memory");
			continue;
		}
		if (str_is(first, "win32"))
			continue;
		alias = split_edge(str_is(first, "optional") ? text : *e, &id);
		if (str_is(first, "optional"))
			must(buf_addf(&optional, "%s\"%.*s\"", optional.len ? ", " : "",
				STR_ARG(alias)), "memory");
		must(buf_addf(&edges, "%s\"%.*s\" = \"npm:%.*s\"", edges.len ? ", " : "",
			STR_ARG(alias), STR_ARG(id)), "memory");
	}
	must(buf_addf(ret, "dependencies = { %s }\noptional = [%s]\nbin = { %s }\n", buf_text(&edges),
		buf_text(&optional), buf_text(&bins)), "memory");
}

static void print_package(const struct part *p, struct buf *ret)
{
	struct str rest = p->line, id = word(&rest), path = STR("path:");

	must(buf_addf(ret, "\n[[package]]\nid = \"npm:%.*s\"\n", STR_ARG(id)), "memory");
	if (str_starts(rest, path))
		must(buf_addf(ret, "source = \"%.*s\"\n", STR_ARG(rest)), "memory");
	else
		must(buf_adds(ret, "source = \"https://example.org/x.tgz\"\nintegrity = \"" HASH "\"\n"),
			"memory");
	vec_foreach(e, &p->edges)
		if (str_is(*e, "win32"))
			must(buf_adds(ret, "platform = { os = [\"win32\"] }\n"), "memory");
	print_edges(p, ret);
}

static void print_root(const struct part *root, struct buf *ret)
{
	struct str id;

	must(buf_adds(ret, "\n[[root]]\nname = \"app\"\n\n[root.dependencies]\n"), "memory");
	vec_foreach(e, &root->edges) {
		struct str text = *e, kind = word(&text), alias;
		bool plain = !str_is(kind, "dev") && !str_is(kind, "optional");

		alias = split_edge(plain ? *e : text, &id);
		must(buf_addf(ret, "\"%.*s\" = { id = \"npm:%.*s\", requirement = \"*\", kind = \"%.*s\" }\n",
			STR_ARG(alias), STR_ARG(id), STR_ARG(plain ? STR("normal") : kind)), "memory");
	}
}

static struct lockfile *make_lockfile(const struct scenario *s)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	_cleanup_diag_ struct diag d = DIAG_INIT;
	struct lockfile *l;

	must(buf_adds(&text, "version = 1\nmanifest = \"blake3:" HEX "\"\n"), "memory");
	vec_foreach(p, &s->packages)
		print_package(p, &text);
	print_root(&s->root, &text);
	if (lockfile_parse(&l, buf_str(&text), "cratons.lock", &d) < 0)
		die(buf_text(&d.what), s->title);
	return l;
}

static const struct digest *tree_of(void *data, const struct lock_package *p)
{
	struct trees *t = data;

	t->digests[p->index] = hash_bytes(p->id.p, p->id.n);
	return &t->digests[p->index];
}

static const struct lock_package *package_of(const struct trees *t, const struct digest *digest)
{
	for (size_t i = 0; i < t->lock->npackages; i++)
		if (digest_eq(&t->digests[i], digest))
			return t->lock->packages[i];
	return NULL;
}

/* A package's tree where it has to be merged: one file that says whose it is. */
static int open_tree(void *data, const struct digest *digest, const struct tree **ret,
	struct diag *d)
{
	struct trees *t = data;
	struct digest of = *digest, own;
	_cleanup_(tree_builder_free_p) struct tree_builder *b = NULL;
	struct buf bytes = BUF_INIT;
	struct tree *tree;

	must(tree_builder_new(&b), "memory");
	must(tree_builder_file(b, STR("(contents)"), false, 1, &of, NULL, 0), "a file");
	must(tree_builder_end(b, &bytes, &own), "a tree");
	must(tree_open(&tree, bytes.data, bytes.len, &own, d), "a tree");
	must(vec_push(&t->made, tree), "memory");
	must(vec_push(&t->bytes, bytes), "memory");
	*ret = tree;
	return 0;
}

static void list(const struct trees *t, const struct tree *tree, uint32_t dir, const char *prefix,
	struct buf *ret)
{
	for (uint32_t i = 0; i < tree_dir_count(tree, dir); i++) {
		_cleanup_buf_ struct buf path = BUF_INIT;
		const struct lock_package *p = NULL;
		struct tree_entry e;

		tree_get(tree, tree_dir_first(tree, dir) + i, &e);
		must(buf_addf(&path, "%s%.*s", prefix, STR_ARG(e.name)), "memory");
		if (e.kind == TREE_FILE || e.kind == TREE_SUBTREE)
			p = package_of(t, &e.digest);
		if (p)
			must(buf_addf(ret, "%s = %.*s\n", buf_text(&path),
				STR_ARG(str_slice(p->id, 4, p->id.n))), "memory");
		else if (e.kind == TREE_SYMLINK)
			must(buf_addf(ret, "%s -> %.*s\n", buf_text(&path), STR_ARG(e.target)), "memory");
		else if (tree_dir_count(tree, e.dir) == 0 && e.name.p[0] != '.')
			must(buf_addf(ret, "%s/\n", buf_text(&path)), "memory");
		if (e.kind != TREE_DIR)
			continue;
		must(buf_addc(&path, '/'), "memory");
		list(t, tree, e.dir, buf_text(&path), ret);
	}
}

static void trees_done(struct trees *t)
{
	vec_foreach(tree, &t->made)
		tree_free(*tree);
	vec_foreach(b, &t->bytes)
		buf_done(b);
	vec_done(&t->made);
	vec_done(&t->bytes);
	free(t->digests);
}

/* Tools' places must be there in each, and are left out of the listings. */
static void check_places(const struct tree *t)
{
	static const char *const places[] = { ".cache", ".vite", ".vite-temp" };
	uint32_t at;

	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		must(tree_lookup(t, str_from(places[i]), &at), places[i]);
}

static void compose(const struct scenario *s, struct buf *ret)
{
	_cleanup_(lockfile_free_p) struct lockfile *l = make_lockfile(s);
	_cleanup_(tree_builder_free_p) struct tree_builder *b = NULL;
	_cleanup_(tree_free_p) struct tree *tree = NULL;
	_cleanup_(trees_done) struct trees t = { .lock = l };
	_cleanup_free_ bool *selected = calloc(l->npackages + 1, sizeof(bool));
	_cleanup_buf_ struct buf bytes = BUF_INIT;
	_cleanup_diag_ struct diag d = DIAG_INIT;
	struct lock_wish wish = { { STR("linux"), STR("x64"), STR("glibc") }, s->production, NULL };
	struct compose_options o = { .layout = s->hoisted ? LAYOUT_HOISTED : LAYOUT_ISOLATED,
		.production = s->production, .cell_commands = s->commands, .selected = selected,
		.tree_of = tree_of, .open_tree = open_tree, .data = &t };
	struct digest digest;

	t.digests = calloc(l->npackages + 1, sizeof(*t.digests));
	must(lock_select(l, &l->roots[0], &wish, selected, &d), buf_text(&d.what));
	must(tree_builder_new(&b), "memory");
	if (ecosystem_find(STR("npm"))->compose(l, &l->roots[0], &o, b, &d) < 0)
		die(buf_text(&d.what), s->title);
	must(tree_builder_end(b, &bytes, &digest), "the tree");
	must(tree_open(&tree, bytes.data, bytes.len, &digest, &d), buf_text(&d.what));
	check_places(tree);
	list(&t, tree, 0, "", ret);
}

static void print_detail(const char *what, const struct buf *text)
{
	struct str rest = buf_str(text);

	printf("# %s:\n", what);
	while (rest.p) {
		struct str line = str_cut(&rest, '\n');

		if (line.n)
			printf("#   %.*s\n", STR_ARG(line));
	}
}

static bool run(struct str text, int number, bool print)
{
	struct scenario s = { 0 };
	_cleanup_buf_ struct buf got = BUF_INIT;
	bool good;

	read_scenario(&s, text);
	compose(&s, &got);
	good = str_eq(buf_str(&got), buf_str(&s.wanted));
	if (print) {
		printf("== %.*s\n%s\n", STR_ARG(s.title), buf_text(&got));
	} else {
		printf("%sok %d - %s: %.*s\n", good ? "" : "not ", number,
			s.hoisted ? "hoisted" : "isolated", STR_ARG(s.title));
		if (!good) {
			print_detail("got", &got);
			print_detail("wanted", &s.wanted);
		}
	}
	vec_foreach(p, &s.packages)
		vec_done(&p->edges);
	vec_done(&s.packages);
	vec_done(&s.root.edges);
	buf_done(&s.wanted);
	arena_done(&s.arena);
	return good;
}

int main(int argc, char **argv)
{
	bool print = argc > 1 && strcmp(argv[1], "--print") == 0;
	int number = 0, failed = 0;

	for (int i = 1 + print; i < argc; i++) {
		_cleanup_buf_ struct buf text = BUF_INIT;
		struct str rest;

		must(file_slurp(AT_FDCWD, argv[i], &text, 1 << 20), argv[i]);
		rest = buf_str(&text);
		while (rest.n > 3) {
			const char *next = strstr(rest.p + 3, "\n== ");
			size_t n = next ? (size_t)(next + 1 - rest.p) : rest.n;

			if (str_starts(rest, STR("== ")))
				failed += !run(str_slice(rest, 3, n), ++number, print);
			rest = str_slice(rest, n, rest.n);
		}
	}
	printf("1..%d\n", number);
	return failed > 0;
}
