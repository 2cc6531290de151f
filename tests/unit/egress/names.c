// SPDX-License-Identifier: GPL-2.0-or-later
#include "names.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>

/* As connections would hold them. */
static _Atomic uint32_t used[EGRESS_NAMES];

static int get(struct names *n, unsigned i, struct name **ret)
{
	char text[32];

	snprintf(text, sizeof(text), "n%u.example", i);
	return names_get(n, str_from(text), ret);
}

Test(names, keep_their_numbers)
{
	struct name *a, *b, *again;
	struct names n;

	cr_assert_eq(names_init(&n, used), 0);
	cr_assert_eq(get(&n, 1, &a), 0);
	cr_assert_eq(get(&n, 2, &b), 0);
	cr_assert_eq(get(&n, 1, &again), 0);
	cr_expect_eq(a, again);
	cr_expect_neq(a->number, b->number);
	cr_expect_geq(a->number, EGRESS_FIRST_NAME);
	cr_expect_eq(names_find(&n, b->number), b);
	cr_expect_null(names_find(&n, 1));
	cr_expect_null(names_find(&n, EGRESS_NAMES));
	cr_expect_null(names_find(&n, UINT32_MAX));
	names_done(&n);
}

Test(names, the_oldest_unused_are_forgotten)
{
	struct name *live, *old, *name;
	uint32_t old_number;
	struct names n;

	cr_assert_eq(names_init(&n, used), 0);
	cr_assert_eq(get(&n, 0, &live), 0);
	used[live->number] = 1;
	cr_assert_eq(get(&n, 1, &old), 0);
	old_number = old->number;
	for (unsigned i = 2; i < NAMES_MAX + 10; i++)
		cr_assert_eq(get(&n, i, &name), 0, "%u", i);
	cr_expect_leq(n.by_text.n, (size_t)NAMES_MAX);
	cr_expect_eq(names_find(&n, live->number), live, "in use");
	cr_expect_null(names_find(&n, old_number));
	cr_expect_eq(names_find(&n, name->number), name);
	/* A number comes back only after all the others. */
	cr_assert_eq(get(&n, 1, &old), 0);
	cr_expect_neq(old->number, old_number);
	names_done(&n);
}

Test(names, all_in_use)
{
	struct name *name;
	struct names n;

	cr_assert_eq(names_init(&n, used), 0);
	for (unsigned i = 0; i < NAMES_MAX; i++) {
		cr_assert_eq(get(&n, i, &name), 0);
		used[name->number] = 1;
	}
	cr_expect_eq(get(&n, NAMES_MAX, &name), -ENOSPC);
	cr_expect_eq(get(&n, 5, &name), 0, "a known one still");
	names_done(&n);
}

Test(names, the_circle_closes)
{
	struct name *name;
	struct names n;

	cr_assert_eq(names_init(&n, used), 0);
	for (unsigned i = 0; i < EGRESS_NAMES + 5000; i++) {
		cr_assert_eq(get(&n, i, &name), 0);
		cr_assert(name->number >= EGRESS_FIRST_NAME && name->number < EGRESS_NAMES - 1);
		cr_assert_eq(names_find(&n, name->number), name);
	}
	names_done(&n);
}
