// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands.h"
#include "installing.h"
#include "base/fd.h"
#include "engine/install/query.h"
#include "engine/registry/registry.h"
#include "prim/err.h"
#include "view.h"

static bool arg_latest;

const struct opt update_options[] = {
	OPT_FLAG("latest", 0, &arg_latest),
	OPT_INSTALLING,
	OPT_ARGS("PACKAGE", 0, OPT_ANY_NUMBER),
	OPT_END,
};

static bool is_named(const struct cmd *c, struct str name)
{
	for (int i = 0; i < c->argc; i++)
		if (str_is(name, c->argv[i]))
			return true;
	return c->argc == 0;
}

static bool is_asked(const struct cmd *c, const struct manifest_dependency *dep)
{
	return dep->requirement.n && is_named(c, dep->name);
}

/* "^", "~" or an exact version. Anything else (a tag, a union) is left to its owner. */
static bool can_be_raised(struct str requirement)
{
	char sign = requirement.p[0];

	return (sign == '^' || sign == '~' || (sign >= '0' && sign <= '9')) &&
	       str_find(requirement, ' ', 0) == requirement.n &&
	       str_find(requirement, '|', 0) == requirement.n;
}

static int ask_latest(const struct manifest *m, const struct manifest_dependency *dep,
	const struct resolve_source *s, struct buf *ret, struct diag *d)
{
	_cleanup_arena_ struct arena a = ARENA_INIT;
	const struct ecosystem *e = ecosystem_find(dep->ecosystem);
	const struct release *release;
	struct dependency latest;
	int r = e->requirement_parse(dep->name, STR("latest"), &a, &latest, d);

	if (r == 0)
		r = resolve_best(m, s, query_now(), e, &latest, &release, d);
	return r < 0 ? r : buf_addstr(ret, release->version);
}

/* One line a dependency of the manifest: its latest version, or nothing where it is not raised. */
static int ask_each(void *data, const struct manifest *m, const struct resolve_source *s,
	struct buf *ret, struct diag *d)
{
	const struct cmd *c = data;
	int r = 0;

	for (size_t i = 0; i < m->ndependencies; i++)
		s->hint(s->data, ecosystem_find(m->dependencies[i].ecosystem),
			m->dependencies[i].name);
	for (size_t i = 0; i < m->ndependencies && r == 0; i++) {
		const struct manifest_dependency *dep = &m->dependencies[i];

		if (is_asked(c, dep) && can_be_raised(dep->requirement))
			r = ask_latest(m, dep, s, ret, d);
		if (r == 0)
			r = buf_addc(ret, '\n');
	}
	return r;
}

/* The new requirement keeps the old one's way of saying it. `text` is the manifest so far. */
static int raise(struct cmd *c, const struct manifest_dependency *dep, struct str version,
	struct buf *text)
{
	_cleanup_buf_ struct buf requirement = BUF_INIT, changed = BUF_INIT;
	struct str old = dep->requirement;
	int r = 0;

	if (is_asked(c, dep) && !can_be_raised(old))
		cmd_note(c, "%.*s \"%.*s\" is left as it is", STR_ARG(dep->name), STR_ARG(old));
	if (!version.n || !is_asked(c, dep) || !can_be_raised(old))
		return 0;
	if (old.p[0] == '^' || old.p[0] == '~')
		r = buf_addc(&requirement, old.p[0]);
	if (r == 0)
		r = buf_addstr(&requirement, version);
	if (r < 0 || str_eq(buf_str(&requirement), old))
		return r;
	r = manifest_set_dependency(buf_str(text), MANIFEST_NAME, dep->kind, dep->ecosystem,
		dep->name, buf_str(&requirement), &changed, &c->diag);
	if (r < 0)
		return r;
	cmd_note(c, "%.*s %.*s -> %s", STR_ARG(dep->name), STR_ARG(old), buf_text(&requirement));
	buf_done(text);
	*text = changed;
	changed = (struct buf)BUF_INIT;
	return 0;
}

static int raise_each(struct cmd *c, const struct project *p, const struct install_options *o,
	struct buf *text)
{
	_cleanup_(manifest_free_p) struct manifest *m = NULL;
	_cleanup_buf_ struct buf answer = BUF_INIT;
	struct str rest;
	int r = manifest_parse(&m, buf_str(text), MANIFEST_NAME, &c->diag);

	if (r == 0)
		r = query(p, o, ask_each, c, &answer, &c->diag);
	rest = buf_str(&answer);
	for (size_t i = 0; r == 0 && i < m->ndependencies; i++)
		r = raise(c, &m->dependencies[i], str_cut(&rest, '\n'), text);
	return r;
}

static int update_with(struct cmd *c, const struct project *p, struct install_options *o)
{
	_cleanup_buf_ struct buf before = BUF_INIT, after = BUF_INIT;
	int r = file_slurp(p->fd, MANIFEST_NAME, &before, 64 << 20);

	if (r == 0)
		r = buf_addstr(&after, buf_str(&before));
	if (r == 0 && arg_latest)
		r = raise_each(c, p, o, &after);
	if (r == 0)
		r = installing_with_manifest(c, p, o, buf_str(&before), buf_str(&after));
	return r;
}

static bool is_there(const struct view *v, struct str name)
{
	for (size_t i = 0; i < v->manifest->ndependencies; i++)
		if (str_eq(v->manifest->dependencies[i].name, name))
			return true;
	for (size_t i = 0; i < v->lockfile->npackages; i++)
		if (str_eq(v->lockfile->packages[i]->name, name))
			return true;
	return false;
}

/* A name that nothing has would change nothing, and look like success. */
static int check_names(struct cmd *c)
{
	_cleanup_view_ struct view v = { 0 };
	int r = c->argc ? view_load(c, &v) : 0;

	for (int i = 0; r == 0 && i < c->argc; i++)
		if (!is_there(&v, str_from(c->argv[i])))
			r = view_unknown(c, &v, c->argv[i]);
	return r;
}

int cmd_update(struct cmd *c)
{
	_cleanup_free_ struct str *names = calloc((size_t)c->argc + 1, sizeof(*names));
	struct install_options o = { .update_all = c->argc == 0 };
	struct project p;
	int r = installing_project(c, &p);

	if (!names)
		return -ERR_LIMIT;
	if (r == 0)
		r = check_names(c);
	if (r < 0)
		return r;
	for (int i = 0; i < c->argc; i++)
		names[i] = str_from(c->argv[i]);
	o.update = names;
	o.nupdate = (size_t)c->argc;
	installing_options(c, &o);
	return update_with(c, &p, &o);
}
