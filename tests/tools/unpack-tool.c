// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * unpack-tool HOME: unpacks archives into the store of HOME, for tests. Reads lines, writes one JSON
 * object a line.
 *
 *	npm NAME VERSION FILE	as that package
 *	tar FILE		as it stands, with links that stay inside
 *	cut-npm NAME VERSION FILE, cut-tar FILE
 *				every shorter beginning of FILE: which lengths were accepted
 */
#include "base/fd.h"
#include "base/json.h"
#include "engine/registry/npm/package.h"
#include "engine/unpack/unpack.h"
#include "prim/err.h"
#include "prim/vec.h"

#include <fcntl.h>
#include <stdio.h>

struct tool {
	struct cas_writer *writer;
	bool npm;
	struct lock_package package;
};

static int unpack(struct tool *t, struct str archive, struct digest *ret, struct diag *d)
{
	const struct unpack_options o = { .links = UNPACK_LINKS_INSIDE };

	if (t->npm)
		return npm_unpack(t->writer, archive, &t->package, (struct str){ 0 }, ret, d);
	return unpack_tar(t->writer, archive, &o, (struct str){ 0 }, ret, d);
}

static void put_entry(struct json_out *o, const struct tree_entry *e, struct str path)
{
	char hex[DIGEST_HEX];

	json_out_open(o, '{');
	json_out_key(o, "path");
	json_out_str(o, path);
	json_out_key(o, "kind");
	json_out_text(o, e->kind == TREE_FILE ? "file" : e->kind == TREE_DIR ? "dir" : "link");
	if (e->kind == TREE_FILE) {
		json_out_key(o, "digest");
		json_out_text(o, digest_hex(&e->digest, hex));
		json_out_key(o, "executable");
		json_out_bool(o, e->executable);
	} else if (e->kind == TREE_SYMLINK) {
		json_out_key(o, "target");
		json_out_str(o, e->target);
	}
	json_out_close(o, '}');
}

/* Directories come after the one that they are in: no recursion is needed. */
static int put_tree(struct tool *t, struct json_out *o, const struct digest *digest, struct diag *d)
{
	const struct tree *tree;
	struct buf *paths;
	int r = cas_tree(cas_writer_cas(t->writer), digest, &tree, d);

	if (r < 0)
		return r;
	paths = calloc(tree_ndirs(tree), sizeof(*paths));
	json_out_key(o, "entries");
	json_out_open(o, '[');
	for (uint32_t dir = 0; paths && dir < tree_ndirs(tree); dir++) {
		for (uint32_t i = 0; i < tree_dir_count(tree, dir); i++) {
			_cleanup_buf_ struct buf path = BUF_INIT;
			struct tree_entry e;

			tree_get(tree, tree_dir_first(tree, dir) + i, &e);
			r = buf_addf(&path, "%s%s%.*s", buf_text(&paths[dir]),
				paths[dir].len ? "/" : "", STR_ARG(e.name));
			if (r == 0)
				put_entry(o, &e, buf_str(&path));
			if (r == 0 && e.kind == TREE_DIR)
				r = buf_addstr(&paths[e.dir], buf_str(&path));
		}
		buf_done(&paths[dir]);
	}
	json_out_close(o, ']');
	free(paths);
	return r;
}

static void put_outcome(struct json_out *o, int r, const struct diag *d)
{
	json_out_key(o, "accepted");
	json_out_bool(o, r == 0);
	if (r == 0)
		return;
	json_out_key(o, "code");
	json_out_text(o, err_name(r));
	json_out_key(o, "what");
	json_out_text(o, buf_text(&d->what));
	json_out_key(o, "where");
	json_out_text(o, buf_text(&d->where));
}

static void one(struct tool *t, struct json_out *o, struct str archive)
{
	_cleanup_diag_ struct diag d = DIAG_INIT;
	struct digest tree;
	char hex[DIGEST_HEX];
	int r = unpack(t, archive, &tree, &d);

	if (r == 0)
		r = cas_writer_flush(t->writer, &d);
	put_outcome(o, r, &d);
	if (r < 0)
		return;
	json_out_key(o, "tree");
	json_out_text(o, digest_hex(&tree, hex));
	r = put_tree(t, o, &tree, &d);
	if (r < 0) {
		json_out_key(o, "broken");
		json_out_text(o, buf_text(&d.what));
	}
}

/* Each beginning in memory of its own size, so that a read beyond it is seen. */
static void cuts(struct tool *t, struct json_out *o, struct str archive)
{
	json_out_key(o, "accepted");
	json_out_open(o, '[');
	for (size_t n = 0; n < archive.n; n++) {
		_cleanup_free_ char *copy = malloc(n ? n : 1);
		struct digest tree;

		if (!copy)
			break;
		memcpy(copy, archive.p, n);
		if (unpack(t, str_of(copy, n), &tree, NULL) == 0)
			json_out_int(o, (int64_t)n);
	}
	json_out_close(o, ']');
	json_out_key(o, "size");
	json_out_int(o, (int64_t)archive.n);
}

static void line(struct tool *t, struct str s)
{
	_cleanup_buf_ struct buf text = BUF_INIT, archive = BUF_INIT;
	struct str how = str_cut(&s, ' ');
	struct json_out o;
	bool cut = str_starts(how, STR("cut-"));
	_cleanup_free_ char *path = NULL;

	t->npm = str_ends(how, STR("npm"));
	if (t->npm) {
		struct str name = str_cut(&s, ' ');

		t->package = (struct lock_package){ .id = STR("npm:it"), .ecosystem = STR("npm"),
			.name = name, .version = str_cut(&s, ' '), .source = STR("test:") };
	}
	path = str_dup(s);
	json_out_start(&o, &text, false);
	json_out_open(&o, '{');
	json_out_key(&o, "file");
	json_out_text(&o, path);
	if (!path || file_slurp(AT_FDCWD, path, &archive, (size_t)1 << 30) < 0) {
		json_out_key(&o, "broken");
		json_out_text(&o, "it cannot be read");
	} else if (cut) {
		cuts(t, &o, buf_str(&archive));
	} else {
		one(t, &o, buf_str(&archive));
	}
	json_out_close(&o, '}');
	(void)json_out_end(&o);
	puts(buf_text(&text));
	fflush(stdout);
}

int main(int argc, char **argv)
{
	_cleanup_(cas_writer_free_p) struct cas_writer *writer = NULL;
	_cleanup_diag_ struct diag d = DIAG_INIT;
	_cleanup_buf_ struct buf input = BUF_INIT;
	_cleanup_fd_ int home = -1;
	struct tool t = { 0 };
	struct str rest;

	if (argc != 2 || fd_slurp(0, &input, 64 << 20) < 0) {
		fprintf(stderr, "usage: unpack-tool HOME <LINES\n");
		return EXIT_USAGE;
	}
	dir_make_all(AT_FDCWD, argv[1], 0700);
	home = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (home < 0 || cas_writer_open(&writer, home, &d) < 0) {
		fprintf(stderr, "unpack-tool: %s: %s\n", argv[1], buf_text(&d.what));
		return EXIT_STORE;
	}
	t.writer = writer;
	rest = buf_str(&input);
	while (rest.n) {
		struct str s = str_cut(&rest, '\n');

		if (s.n)
			line(&t, s);
	}
	return 0;
}
