// SPDX-License-Identifier: GPL-2.0-or-later
/* Optional dependencies that no registry has: packages for platforms are named by the dozen, and one
 * line for each would hide what else is said. */
#include "engine/resolve/resolve-priv.h"

#define NAMED_MAX 3

int left_out_add(struct resolver *r, struct node *from, const struct edge *e, int code)
{
	vec_foreach(x, &r->left_out)
		if (x->from->pkg == from->pkg && x->from->release == from->release &&
				str_eq(x->edge->alias, e->alias) && x->edge->need == e->need)
			return 0;
	return vec_push(&r->left_out, (struct left_out){ from, e, code });
}

static void tell_one(struct resolver *r, const struct left_out *x, bool alone)
{
	_cleanup_buf_ struct buf text = BUF_INIT;

	explain_node(&text, r, x->from);
	(void)buf_addf(&text, " goes without its optional dependency %.*s %.*s, %s",
		STR_ARG(x->edge->alias), STR_ARG(x->edge->need->text),
		x->code == -ERR_NO_PACKAGE ? "which the registry does not have" :
		x->code == -ERR_REQUIREMENT ? "which no registry has" :
		"a version that the registry does not have");
	if (alone)
		warn(r, "%s", buf_text(&text));
	else
		detail(r, "%s", buf_text(&text));
}

/* Where all lack one version it is said once, and else beside each name. */
static void tell_group(struct resolver *r, struct left_out *const *group, size_t n)
{
	_cleanup_buf_ struct buf who = BUF_INIT, names = BUF_INIT;
	bool one_version = true;
	int k = 0;

	for (size_t i = 0; i < n; i++)
		one_version &= group[i]->code == -ERR_UNSATISFIABLE &&
			str_eq(group[i]->edge->need->text, group[0]->edge->need->text);
	for (size_t i = 0; k == 0 && i < MIN(n, (size_t)NAMED_MAX); i++) {
		k = buf_addf(&names, "%s%.*s", i ? ", " : "", STR_ARG(group[i]->edge->alias));
		if (k == 0 && !one_version)
			k = buf_addf(&names, " %.*s", STR_ARG(group[i]->edge->need->text));
	}
	if (k == 0 && n > NAMED_MAX)
		k = buf_addf(&names, " and %zu more (-v names them)", n - NAMED_MAX);
	explain_node(&who, r, group[0]->from);
	if (k == 0 && one_version)
		warn(r, "%zu optional dependencies of %s are left out: the registry has no %.*s of %s", n,
			buf_text(&who), STR_ARG(group[0]->edge->need->text), buf_text(&names));
	else if (k == 0)
		warn(r, "%zu optional dependencies of %s are left out: the registry does not have %s", n,
			buf_text(&who), buf_text(&names));
}

static bool of_one_release(const struct left_out *a, const struct left_out *b)
{
	return a->from->pkg == b->from->pkg && a->from->release == b->from->release;
}

int left_out_tell(struct resolver *r)
{
	_cleanup_free_ struct left_out **group = calloc(r->left_out.n + 1, sizeof(*group));

	if (!group)
		return -ENOMEM;
	vec_foreach(first, &r->left_out) {
		size_t n = 0;

		vec_foreach(x, &r->left_out)
			if (of_one_release(first, x))
				group[n++] = x;
		if (group[0] != first)
			continue;
		if (n > 1)
			tell_group(r, group, n);
		for (size_t i = 0; i < n; i++)
			tell_one(r, group[i], n == 1);
	}
	return 0;
}
