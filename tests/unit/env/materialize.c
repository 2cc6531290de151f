// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/env/materialize.h"
#include "../cas/store.h"

#include <unistd.h>

static const char small[] = "text\n";

/* A tree with a small and a large file, a program, a link and an empty directory, and itself again as a
 * subtree of another. */
static struct digest put_tree(struct cas_writer *w, const char *text)
{
	_cleanup_(tree_builder_free_p) struct tree_builder *b = NULL, *outer = NULL;
	_cleanup_(cas_put_free_p) struct cas_put *p = NULL;
	_cleanup_diag_ struct diag d = DIAG_INIT;
	static char large[200000];
	struct digest inner, ret;
	struct cas_file f;

	fill(large, sizeof(large), 7);
	cr_assert_eq(cas_put_new(&p, w), 0);
	cr_assert_eq(tree_builder_new(&b), 0);
	cr_assert_eq(cas_put_file(p, text, strlen(text), &f, &d), 0);
	cr_assert_eq(tree_builder_file(b, STR("dir/file"), false, f.size, &f.digest, f.chunks, f.nchunks), 0);
	cr_assert_eq(tree_builder_file(b, STR("program"), true, f.size, &f.digest, f.chunks, f.nchunks), 0);
	cr_assert_eq(cas_put_file(p, large, sizeof(large), &f, &d), 0);
	cr_assert_eq(tree_builder_file(b, STR("large"), false, f.size, &f.digest, f.chunks, f.nchunks), 0);
	cr_assert_eq(tree_builder_symlink(b, STR("link"), STR("dir/file")), 0);
	cr_assert_eq(tree_builder_dir(b, STR("empty")), 0);
	cr_assert_eq(cas_put_commit(p, b, STR(""), &inner, &d), 0, "%s", buf_text(&d.what));
	cr_assert_eq(tree_builder_new(&outer), 0);
	cr_assert_eq(tree_builder_subtree(outer, STR("package"), &inner), 0);
	cr_assert_eq(cas_writer_tree(w, outer, &ret, &d), 0);
	cr_assert_eq(cas_writer_flush(w, &d), 0, "%s", buf_text(&d.what));
	return ret;
}

struct place {
	struct scratch home;
	struct cas_writer *w;
	struct digest tree;
	struct materialize_result result;
};

static void place_done(struct place *p)
{
	cas_writer_free(p->w);
	scratch_done(&p->home);
}

static struct place place_new(void)
{
	struct place p = { .home = scratch_new() };

	p.w = writer(&p.home);
	p.tree = put_tree(p.w, small);
	return p;
}

static int write_out(struct place *p, enum materialize_how how)
{
	_cleanup_diag_ struct diag d = DIAG_INIT;

	p->result = (struct materialize_result){ 0 };
	return materialize(cas_writer_cas(p->w), p->home.fd, "out", &p->tree, how, &p->result, &d);
}

static mode_t mode_of(struct place *p, const char *path)
{
	struct stat st;

	return fstatat(p->home.fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0 ? 0 : st.st_mode;
}

static void holds(struct place *p, const char *path, const char *text)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	cr_assert_eq(file_slurp(p->home.fd, path, &b, 1 << 20), 0, "%s", path);
	cr_assert_str_eq(buf_text(&b), text);
}

static void whole(struct place *p)
{
	char target[64];
	struct stat st;
	ssize_t n;

	holds(p, "out/package/dir/file", small);
	holds(p, "out/package/program", small);
	cr_assert_eq(mode_of(p, "out/package/program"), S_IFREG | 0755);
	cr_assert_eq(mode_of(p, "out/package/dir/file"), S_IFREG | 0644);
	cr_assert(S_ISDIR(mode_of(p, "out/package/empty")));
	n = readlinkat(p->home.fd, "out/package/link", target, sizeof(target));
	cr_assert(str_eq(str_of(target, (size_t)MAX(n, 0)), STR("dir/file")));
	cr_assert_eq(fstatat(p->home.fd, "out/package/large", &st, 0), 0);
	cr_assert_eq(st.st_size, 200000);
}

Test(materialize, writes_all_and_then_nothing)
{
	_cleanup_(place_done) struct place p = place_new();

	for (int how = MATERIALIZE_AUTO; how <= MATERIALIZE_COPY; how++) {
		if (how == MATERIALIZE_REFLINK || how == MATERIALIZE_HARDLINK)
			continue;
		cr_assert_eq(write_out(&p, (enum materialize_how)how), 0);
		whole(&p);
	}
	cr_assert_eq(p.result.files, 4);
	cr_assert_eq(p.result.written, 0);
	cr_assert_eq(p.result.removed, 0);
}

Test(materialize, puts_right_what_was_changed)
{
	_cleanup_(place_done) struct place p = place_new();
	int fd;

	cr_assert_eq(write_out(&p, MATERIALIZE_COPY), 0);
	fd = openat(p.home.fd, "out/package/dir/file", O_WRONLY | O_TRUNC);
	cr_assert_eq(write(fd, "other", 5), 5);
	close(fd);
	cr_assert_eq(fchmodat(p.home.fd, "out/package/program", 0644, 0), 0);
	cr_assert_eq(unlinkat(p.home.fd, "out/package/link", 0), 0);
	cr_assert_eq(mkdirat(p.home.fd, "out/package/link", 0755), 0);
	cr_assert_eq(unlinkat(p.home.fd, "out/package/empty", AT_REMOVEDIR), 0);
	cr_assert_eq(symlinkat("/", p.home.fd, "out/package/empty"), 0);
	cr_assert_eq(mkdirat(p.home.fd, "out/extra", 0755), 0);
	cr_assert_eq(symlinkat("..", p.home.fd, "out/extra/up"), 0);
	cr_assert_eq(write_out(&p, MATERIALIZE_COPY), 0);
	whole(&p);
	cr_assert_eq(p.result.written, 3);
	cr_assert_eq(p.result.removed, 1);
	cr_assert_eq(mode_of(&p, "out/extra"), 0);
}

Test(materialize, another_tree_replaces_the_first)
{
	_cleanup_(place_done) struct place p = place_new();

	cr_assert_eq(write_out(&p, MATERIALIZE_COPY), 0);
	p.tree = put_tree(p.w, "more than that\n");
	cr_assert_eq(write_out(&p, MATERIALIZE_COPY), 0);
	holds(&p, "out/package/dir/file", "more than that\n");
	cr_assert_eq(p.result.written, 2);
}

Test(materialize, links_large_files_to_the_store)
{
	_cleanup_(place_done) struct place p = place_new();
	struct stat st;

	cr_assert_eq(write_out(&p, MATERIALIZE_HARDLINK), 0);
	whole(&p);
	cr_assert_eq(p.result.shared, 1);
	cr_assert_eq(fstatat(p.home.fd, "out/package/large", &st, 0), 0);
	cr_assert_eq(st.st_nlink, 2);
}

Test(materialize, leaves_alone_what_is_not_its_own)
{
	_cleanup_(place_done) struct place p = place_new();
	int fd;

	cr_assert_eq(mkdirat(p.home.fd, "out", 0755), 0);
	fd = openat(p.home.fd, "out/precious", O_WRONLY | O_CREAT, 0644);
	close(fd);
	cr_assert_eq(write_out(&p, MATERIALIZE_COPY), -ERR_INSTALL);
	cr_assert_neq(mode_of(&p, "out/precious"), 0);
	cr_assert_eq(unlinkat(p.home.fd, "out/precious", 0), 0);
	cr_assert_eq(write_out(&p, MATERIALIZE_COPY), 0);
	whole(&p);
}

Test(materialize, its_record_is_not_written_through_a_link)
{
	_cleanup_(place_done) struct place p = place_new();

	cr_assert_eq(mkdirat(p.home.fd, "elsewhere", 0755), 0);
	cr_assert_eq(symlinkat("elsewhere", p.home.fd, ".cratons"), 0);
	cr_assert_lt(write_out(&p, MATERIALIZE_COPY), 0);
	cr_assert_eq(unlinkat(p.home.fd, "elsewhere", AT_REMOVEDIR), 0, "something was written");
	cr_assert_eq(mkdirat(p.home.fd, "elsewhere", 0755), 0);
}

Test(materialize, damage_is_an_error)
{
	_cleanup_(place_done) struct place p = place_new();

	cr_assert_eq(remove_all(p.home.fd, "store/packs"), 0);
	cas_writer_free(p.w);
	p.w = writer(&p.home);
	cr_assert_lt(write_out(&p, MATERIALIZE_COPY), 0);
	cr_assert_eq(mode_of(&p, "out/package/dir/file"), 0);
}
