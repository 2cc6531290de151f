// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/run/tool.h"

#include "base/fd.h"
#include "engine/fetch/credentials.h"
#include "engine/registry/registry.h"
#include "prim/err.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#define WISH_MAX      65536
#define FRESH_SECONDS (24 * 60 * 60)

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

/* One tool, and all of the project's settings that decide where it comes from: they are part of its
 * manifest, so that projects with different ones do not share its lockfile. */
struct wish {
	const struct project *project;
	struct str name, requirement;
	struct buf *text;
	int error;		/* the first, once */
};

static void put(struct wish *w, const char *format, ...) _printf_(2, 3);
static void put(struct wish *w, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	if (w->error == 0)
		w->error = buf_vaddf(w->text, format, ap);
	va_end(ap);
}

static void put_pair(struct wish *w, struct str key, struct str value)
{
	if (w->error == 0)
		w->error = toml_put_key(w->text, key);
	put(w, " = ");
	if (w->error == 0)
		w->error = toml_put_string(w->text, value);
	put(w, "\n");
}

static void put_registries(struct wish *w, const struct credentials *c)
{
	struct str ecosystem, scope;
	const char *url;
	bool any = false;

	for (size_t i = 0; credentials_registry_at(c, i, &ecosystem, &scope, &url); i++) {
		if (!str_is(ecosystem, "npm"))
			continue;
		put(w, "%s", any ? "" : "[registries.npm]\n");
		put_pair(w, scope.n ? scope : STR("default"), str_from(url));
		any = true;
	}
}

static void put_care(struct wish *w, const struct manifest *m)
{
	put(w, "[install]\n");
	if (m->minimum_age)
		put(w, "minimum-age = \"%lldm\"\n", (long long)m->minimum_age / 60);
	if (m->allow_missing_time)
		put(w, "allow-missing-time = true\n");
	if (m->allow_missing_integrity)
		put(w, "allow-missing-integrity = true\n");
	for (size_t i = 0; i < m->nallow_hosts; i++) {
		put(w, i ? ", " : "allow-hosts = [");
		if (w->error == 0)
			w->error = toml_put_string(w->text, m->allow_hosts[i]);
	}
	put(w, m->nallow_hosts ? "]\n" : "");
}

static int write_wish(struct wish *w, struct diag *d)
{
	_cleanup_(credentials_free_p) struct credentials *c = NULL;
	_cleanup_(manifest_free_p) struct manifest *m = NULL;
	int r = manifest_load(&m, w->project->fd, d);

	if (r == 0)
		r = credentials_load(&c, w->project->fd, m, d);
	if (r < 0)
		return r;
	put(w, "# Made by cratons exec.\n[dependencies.npm]\n");
	put_pair(w, w->name, w->requirement);
	put_registries(w, c);
	put_care(w, m);
	return w->error < 0 ? diag_errno(d, w->error, "preparing %.*s", STR_ARG(w->name)) : 0;
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

	return file_slurp(fd, MANIFEST_NAME, &there, WISH_MAX) == 0 && str_eq(buf_str(&there), text);
}

static bool is_old(int fd)
{
	struct stat st;

	return fstatat(fd, LOCKFILE_NAME, &st, 0) == 0 && time(NULL) - st.st_mtime > FRESH_SECONDS;
}

/* A newer version, if there is one; without the network what there is will do. */
static int refresh(const struct project *p, const struct install_options *o, struct install_result *ret,
	struct diag *d)
{
	struct install_options newer = *o;
	int r;

	newer.update_all = true;
	r = install(p, &newer, ret, d);
	if (r == -ERR_NETWORK) {
		diag_reset(d);
		return install(p, o, ret, d);
	}
	if (r == 0)
		(void)!utimensat(p->fd, LOCKFILE_NAME, NULL, 0);
	return r;
}

static int install_at(int fd, const char *path, const struct wish *w, const struct install_options *o,
	struct digest *ret, struct diag *d)
{
	struct install_options mine = *o;
	struct install_result result = { 0 };
	struct project p = *w->project;
	int r;

	p.fd = fd;
	p.path = path;
	mine.settings = w->project;
	if (str_is(w->requirement, "latest") && o->network == INSTALL_ONLINE && is_old(fd))
		r = refresh(&p, &mine, &result, d);
	else
		r = install(&p, &mine, &result, d);
	if (r == 0)
		*ret = result.environment;
	install_result_done(&result);
	return r;
}

int tool_install(const struct project *project, const char *package, const struct install_options *o,
	struct digest *ret, struct diag *d)
{
	_cleanup_buf_ struct buf text = BUF_INIT, below = BUF_INIT, path = BUF_INIT;
	_cleanup_fd_ int fd = -1;
	struct str spec = str_from(package);
	size_t at = str_find(spec, '@', 1);
	struct wish w = { .project = project, .name = str_slice(spec, 0, at),
		.requirement = str_slice(spec, at + 1, spec.n), .text = &text };
	int r;

	if (!ecosystem_find(STR("npm"))->name_valid(w.name))
		return diag_fail(d, -ERR_USAGE, "'%.*s' is not a package name", STR_ARG(w.name));
	if (w.requirement.n == 0)
		w.requirement = STR("latest");
	r = write_wish(&w, d);
	if (r < 0)
		return r;
	fd = open_place(project, buf_str(&text), &below, d);
	if (fd < 0)
		return fd;
	r = buf_addf(&path, "%s/%s", project->home, buf_text(&below));
	if (r == 0 && !is_written(fd, buf_str(&text)))
		r = file_replace(fd, MANIFEST_NAME, text.data, text.len, 0644);
	if (r < 0)
		return diag_errno(d, r, "cannot write %s", buf_text(&path));
	return install_at(fd, buf_text(&path), &w, o, ret, d);
}
