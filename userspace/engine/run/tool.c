// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/run/tool.h"

#include "base/fd.h"
#include "engine/registry/registry.h"
#include "prim/err.h"

#include <errno.h>
#include <fcntl.h>

bool tool_in_environment(struct cas *c, const struct digest *environment, const char *command)
{
	_cleanup_buf_ struct buf path = BUF_INIT;
	const struct tree *t;
	uint32_t at;

	return !strchr(command, '/') && buf_addf(&path, ".bin/%s", command) == 0 &&
	       cas_tree(c, environment, &t, NULL) == 0 && tree_lookup(t, buf_str(&path), &at) == 0;
}

int tool_command(struct cas *c, const struct digest *environment, struct str wanted,
	struct buf *ret, struct diag *d)
{
	_cleanup_buf_ struct buf names = BUF_INIT;
	struct tree_entry e = { 0 };
	const struct tree *t;
	uint32_t at, n = 0;
	int r = cas_tree(c, environment, &t, d);

	if (r < 0)
		return r;
	if (tree_lookup(t, STR(".bin"), &at) == 0) {
		tree_get(t, at, &e);
		n = tree_dir_count(t, e.dir);
	}
	for (uint32_t i = 0; i < n && r == 0; i++) {
		struct tree_entry bin;

		tree_get(t, tree_dir_first(t, e.dir) + i, &bin);
		if (n == 1 || str_eq(bin.name, wanted))
			return buf_addstr(ret, bin.name);
		r = buf_addf(&names, "%s%.*s", names.len ? ", " : "", STR_ARG(bin.name));
	}
	if (r < 0)
		return diag_errno(d, r, "looking for commands");
	diag_fail(d, -ERR_USAGE, "the package '%.*s' has no command of that name", STR_ARG(wanted));
	return diag_hint(d, n ? "it has %s: cratons exec -p %.*s COMMAND" : "it has none",
		buf_text(&names), STR_ARG(wanted));
}

static int manifest_for(struct str name, struct str requirement, struct buf *ret)
{
	int r = buf_adds(ret, "# Made by cratons exec.\n[dependencies.npm]\n");

	if (r == 0)
		r = toml_put_key(ret, name);
	if (r == 0)
		r = buf_adds(ret, " = ");
	if (r == 0)
		r = toml_put_string(ret, requirement);
	return r < 0 ? r : buf_addc(ret, '\n');
}

/* One directory a request, so that the same request finds its lockfile again. */
static int open_place(const struct project *home, struct str text, struct buf *path,
	struct diag *d)
{
	struct digest digest = hash_bytes(text.p, text.n);
	char hex[DIGEST_HEX];
	int fd, r = buf_addf(path, "tools/%.16s", digest_hex(&digest, hex));

	if (r == 0)
		r = dir_make_all(home->home_fd, buf_text(path), 0755);
	if (r < 0)
		return diag_errno(d, r, "cannot make %s/%s", home->home, buf_text(path));
	fd = openat(home->home_fd, buf_text(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? diag_errno(d, -errno, "cannot open %s/%s", home->home, buf_text(path)) : fd;
}

static bool is_written(int fd, struct str text)
{
	_cleanup_buf_ struct buf there = BUF_INIT;

	return file_slurp(fd, MANIFEST_NAME, &there, 4096) == 0 && str_eq(buf_str(&there), text);
}

int tool_install(const struct project *home, const char *package, const struct install_options *o,
	struct digest *ret, struct diag *d)
{
	_cleanup_buf_ struct buf text = BUF_INIT, below = BUF_INIT, path = BUF_INIT;
	_cleanup_fd_ int fd = -1;
	struct str spec = str_from(package);
	size_t at = str_find(spec, '@', 1);
	struct str name = str_slice(spec, 0, at), requirement = str_slice(spec, at + 1, spec.n);
	struct install_result result = { 0 };
	struct project p = *home;
	int r;

	if (!ecosystem_find(STR("npm"))->name_valid(name))
		return diag_fail(d, -ERR_USAGE, "'%.*s' is not a package name", STR_ARG(name));
	r = manifest_for(name, requirement.n ? requirement : STR("latest"), &text);
	if (r < 0)
		return diag_errno(d, r, "preparing %s", package);
	fd = open_place(home, buf_str(&text), &below, d);
	if (fd < 0)
		return fd;
	r = buf_addf(&path, "%s/%s", home->home, buf_text(&below));
	if (r == 0 && !is_written(fd, buf_str(&text)))
		r = file_replace(fd, MANIFEST_NAME, text.data, text.len, 0644);
	if (r < 0)
		return diag_errno(d, r, "cannot write %s", buf_text(&path));
	p.fd = fd;
	p.path = buf_text(&path);
	r = install(&p, o, &result, d);
	if (r == 0)
		*ret = result.environment;
	install_result_done(&result);
	return r;
}
