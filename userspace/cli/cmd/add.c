// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands.h"
#include "installing.h"
#include "base/fd.h"
#include "engine/install/query.h"
#include "engine/registry/registry.h"
#include "prim/err.h"

#include <errno.h>

static bool arg_dev, arg_optional, arg_exact;

const struct opt add_options[] = {
	OPT_FLAG("dev", 'D', &arg_dev),
	OPT_FLAG("optional", 'O', &arg_optional),
	OPT_FLAG("exact", 'E', &arg_exact),
	OPT_INSTALLING,
	OPT_ARGS("PACKAGE[@VERSION]", 1, OPT_ANY_NUMBER),
	OPT_END,
};

/* "react", "react@18", "@types/node@^20", "npm:react@next", "old@npm:react@17". */
static int split_spec(const char *text, const struct ecosystem **ret_ecosystem, struct str *name,
	struct str *requirement, struct diag *d)
{
	struct str s = str_from(text), prefix;
	size_t colon = str_find(s, ':', 0), at;

	*ret_ecosystem = ecosystem_find(STR("npm"));
	prefix = str_slice(s, 0, colon);
	if (colon < s.n && str_find(prefix, '@', 1) == prefix.n && ecosystem_find(prefix)) {
		*ret_ecosystem = ecosystem_find(prefix);
		s = str_slice(s, colon + 1, s.n);
	}
	at = str_find(s, '@', 1);
	*name = str_slice(s, 0, at);
	*requirement = str_slice(s, at + 1, s.n);
	if (!(*ret_ecosystem)->name_valid(*name)) {
		diag_fail(d, -ERR_USAGE, "'%.*s' is not a package name", STR_ARG(*name));
		return diag_hint(d, "give PACKAGE or PACKAGE@VERSION");
	}
	return 0;
}

/* What goes into the manifest: a range as it was given; for a tag, or for nothing, the range that
 * begins with the version it stands for. */
static int choose_requirement(const struct manifest *m, const struct ecosystem *e,
	struct str name, struct str given, const struct resolve_source *s, struct buf *ret, struct diag *d)
{
	_cleanup_arena_ struct arena a = ARENA_INIT;
	const struct release *release;
	struct dependency dep = { 0 };
	int r = e->requirement_parse(name, given.n ? given : STR("latest"), &a, &dep, d);

	if (r == 0)
		r = resolve_best(m, s, query_now(), e, &dep, &release, d);
	if (r < 0)
		return r;
	if (given.n && !query_is_tag(e, &dep))
		return buf_addstr(ret, given);
	if (!str_eq(dep.name, name))
		r = buf_addf(ret, "%s:%.*s@", e->name, STR_ARG(dep.name));
	if (r == 0 && !arg_exact)
		r = buf_addc(ret, '^');
	return r < 0 ? r : buf_addstr(ret, release->version);
}

/* One line a package: what goes into the manifest for it. */
static int choose_each(void *data, const struct manifest *m, const struct resolve_source *s,
	struct buf *ret, struct diag *d)
{
	const struct cmd *c = data;
	int r = 0;

	for (int i = 0; i < c->argc && r == 0; i++) {
		const struct ecosystem *e;
		struct str name, given;

		r = split_spec(c->argv[i], &e, &name, &given, d);
		if (r == 0)
			r = choose_requirement(m, e, name, given, s, ret, d);
		if (r == 0)
			r = buf_addc(ret, '\n');
	}
	return r;
}

static int add_each(struct cmd *c, struct str chosen, struct buf *text)
{
	enum dependency_kind kind = arg_dev ? DEPENDENCY_DEV :
				    arg_optional ? DEPENDENCY_OPTIONAL : DEPENDENCY_NORMAL;

	for (int i = 0; i < c->argc; i++) {
		_cleanup_buf_ struct buf changed = BUF_INIT;
		struct str requirement = str_cut(&chosen, '\n'), name, given;
		const struct ecosystem *e;
		int r = split_spec(c->argv[i], &e, &name, &given, &c->diag);

		if (r == 0)
			r = manifest_set_dependency(buf_str(text), MANIFEST_NAME, kind,
				str_from(e->name), name, requirement, &changed, &c->diag);
		if (r < 0)
			return r;
		buf_done(text);
		*text = changed;
		changed = (struct buf)BUF_INIT;
		cmd_note(c, "Adding %.*s \"%.*s\"", STR_ARG(name), STR_ARG(requirement));
	}
	return 0;
}

/* Names are checked before anything is asked. */
static int check_names(struct cmd *c)
{
	const struct ecosystem *e;
	struct str name, given;
	int r = 0;

	for (int i = 0; i < c->argc && r == 0; i++)
		r = split_spec(c->argv[i], &e, &name, &given, &c->diag);
	return r;
}

int cmd_add(struct cmd *c)
{
	_cleanup_buf_ struct buf before = BUF_INIT, after = BUF_INIT, chosen = BUF_INIT;
	struct install_options o = { 0 };
	struct project p;
	int r = installing_project(c, &p);

	if (arg_dev && arg_optional)
		return diag_fail(&c->diag, -ERR_USAGE, "--dev and --optional exclude each other");
	if (r == 0)
		r = check_names(c);
	if (r == 0)
		r = file_slurp(p.fd, MANIFEST_NAME, &before, 64 << 20);
	if (r == 0)
		r = buf_addstr(&after, buf_str(&before));
	if (r < 0)
		return r;
	installing_options(c, &o);
	r = query(&p, &o, choose_each, c, &chosen, &c->diag);
	if (r == 0)
		r = add_each(c, buf_str(&chosen), &after);
	return r < 0 ? r : installing_with_manifest(c, &p, &o, buf_str(&before), buf_str(&after));
}
