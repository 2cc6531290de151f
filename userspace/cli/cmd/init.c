// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands.h"

#include "base/fd.h"
#include "base/toml.h"
#include "engine/manifest/manifest.h"
#include "engine/registry/npm/import.h"
#include "prim/err.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#define PACKAGE_JSON_MAX ((size_t)8 << 20)

static const char *arg_name, *arg_from;

const struct opt init_options[] = {
	OPT_TEXT("name", 0, "NAME", &arg_name),
	OPT_TEXT("from", 0, "FILE", &arg_from),
	OPT_END,
};

/* The directory's name as a package may be called: lower case, the rest replaced by '-'. */
static int name_of_directory(struct buf *ret)
{
	_cleanup_free_ char *path = realpath(".", NULL);
	const char *p = path ? strrchr(path, '/') : NULL;
	int r = 0;

	for (p = p ? p + 1 : ""; *p && r == 0; p++) {
		char c = *p >= 'A' && *p <= 'Z' ? (char)(*p + 32) : *p;
		bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');

		if (plain || (ret->len && strchr("._-", c)))
			r = buf_addc(ret, c);
		else if (ret->len && ret->data[ret->len - 1] != '-')
			r = buf_addc(ret, '-');
	}
	while (ret->len && ret->data[ret->len - 1] == '-')
		ret->data[--ret->len] = '\0';
	return r < 0 || ret->len ? r : buf_adds(ret, "app");
}

static int write_new(struct buf *to, struct str name)
{
	int r = buf_adds(to, "[package]\nname = ");

	if (r == 0)
		r = toml_put_string(to, name);
	if (r == 0)
		r = buf_adds(to, "\nversion = \"0.1.0\"\n\n[scripts]\n\n[dependencies.npm]\n\n"
				 "[dev-dependencies.npm]\n");
	return r;
}

static void told(void *data, const char *text)
{
	cmd_warn(data, "%s", text);
}

static int import(struct cmd *c, struct str name, struct buf *to)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	struct npm_import_options o = { .name = name, .warn = told, .data = c };
	int r = file_slurp(AT_FDCWD, arg_from, &text, PACKAGE_JSON_MAX);

	if (r < 0)
		return diag_errno(&c->diag, r, "cannot read %s", arg_from);
	return npm_import(buf_str(&text), arg_from, &o, to, &c->diag);
}

/* O_EXCL: what is there is never overwritten, also not by two of us at once. */
static int create(struct cmd *c, struct str text)
{
	_cleanup_fd_ int fd = open(MANIFEST_NAME, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	int r;

	if (fd < 0 && errno == EEXIST) {
		diag_fail(&c->diag, -ERR_MANIFEST, "there is a %s here already", MANIFEST_NAME);
		return diag_hint(&c->diag, "cratons add NAME adds a dependency to it");
	}
	if (fd < 0)
		return diag_errno(&c->diag, -errno, "cannot create %s", MANIFEST_NAME);
	r = fd_write_all(fd, text.p, text.n);
	if (r < 0) {
		unlink(MANIFEST_NAME);
		return diag_errno(&c->diag, r, "cannot write %s", MANIFEST_NAME);
	}
	return 0;
}

static void report(struct cmd *c, const struct manifest *m)
{
	if (c->use_json) {
		json_out_open(&c->json, '{');
		json_out_key(&c->json, "created");
		json_out_text(&c->json, MANIFEST_NAME);
		json_out_key(&c->json, "name");
		json_out_str(&c->json, m->name);
		json_out_key(&c->json, "dependencies");
		json_out_int(&c->json, (int64_t)m->ndependencies);
		json_out_key(&c->json, "scripts");
		json_out_int(&c->json, (int64_t)m->nscripts);
		json_out_close(&c->json, '}');
		return;
	}
	cmd_note(c, "Created %s for %.*s.", MANIFEST_NAME, STR_ARG(m->name));
	if (arg_from)
		cmd_note(c, "Imported %zu dependencies and %zu scripts. Next: cratons install",
			m->ndependencies, m->nscripts);
	if (arg_from && access(".npmrc", F_OK) == 0)
		cmd_note(c, ".npmrc stays in use for registries and their tokens.");
	if (!arg_from && access("package.json", F_OK) == 0)
		cmd_note(c, "There is a package.json: remove %s and take its dependencies over with "
			    "cratons init --from package.json", MANIFEST_NAME);
}

int cmd_init(struct cmd *c)
{
	_cleanup_buf_ struct buf name = BUF_INIT, text = BUF_INIT;
	_cleanup_(manifest_free_p) struct manifest *m = NULL;
	int r = arg_name ? buf_adds(&name, arg_name) : name_of_directory(&name);

	if (r == 0)
		r = arg_from ? import(c, buf_str(&name), &text) : write_new(&text, buf_str(&name));
	if (r == 0)
		r = manifest_parse(&m, buf_str(&text), MANIFEST_NAME, &c->diag);
	if (r == 0)
		r = create(c, buf_str(&text));
	if (r == 0)
		report(c, m);
	return r;
}
