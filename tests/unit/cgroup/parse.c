// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/cgroup/cgroup-priv.h"

#include <criterion/criterion.h>
#include <errno.h>

static uint64_t size(const char *text)
{
	uint64_t value = 12345;

	return cgroup_parse_size(text, &value) == 0 ? value : value == 12345 ? 0 : 1;
}

Test(size, units_are_powers_of_two)
{
	cr_assert_eq(size("4096"), 4096);
	cr_assert_eq(size("512M"), 512ull << 20);
	cr_assert_eq(size("512m"), 512ull << 20);
	cr_assert_eq(size("2KiB"), 2048);
	cr_assert_eq(size("2 kB"), 2048);
	cr_assert_eq(size("1.5G"), 3ull << 29);
	cr_assert_eq(size("0.25T"), 1ull << 38);
	cr_assert_eq(size("16b"), 16);
}

Test(size, refuses_what_is_no_size)
{
	static const char *const bad[] = { "", "M", "-1", "1.5", "1.", ".5G", "1X", "1GG", "1GiBs",
		"0x10", "99999999999999999999", "16777216P", "1.1234567G", "1e3", "1\n2", NULL };

	for (const char *const *b = bad; *b; b++)
		cr_assert_eq(size(*b), 0, "'%s' is %llu", *b, (unsigned long long)size(*b));
}

Test(fields, are_found_by_their_whole_name)
{
	static const char text[] = "low 0\nhigh 2\nmax 7\noom 1\noom_kill 3\noom_group_kill 0\n";

	cr_assert_eq(cgroup_field(text, "oom"), 1);
	cr_assert_eq(cgroup_field(text, "oom_kill"), 3);
	cr_assert_eq(cgroup_field(text, "oom_"), CGROUP_UNLIMITED);
	cr_assert_eq(cgroup_field("", "x"), CGROUP_UNLIMITED);
	cr_assert_eq(cgroup_field("max max\n", "max"), CGROUP_UNLIMITED);
	cr_assert_eq(cgroup_field("populated", "populated"), CGROUP_UNLIMITED);
}

Test(fields, of_all_devices_are_added)
{
	static const char text[] = "8:0 rbytes=100 wbytes=7 rios=1\n254:16 rbytes=23 wbytes=x\n8:1 \n";

	cr_assert_eq(cgroup_sum(text, "rbytes"), 123);
	cr_assert_eq(cgroup_sum(text, "wbytes"), 7);
	cr_assert_eq(cgroup_sum(text, "bytes"), 0);
	cr_assert_eq(cgroup_sum("", "rbytes"), 0);
}

Test(limits, name_the_controllers_that_they_need)
{
	cr_assert_eq(cgroup_limits_need(&(struct cgroup_limits){ 0 }), 0);
	cr_assert_eq(cgroup_limits_need(&(struct cgroup_limits){ .memory = 1 }), CGROUP_BIT(CGROUP_MEMORY));
	cr_assert_eq(cgroup_limits_need(&(struct cgroup_limits){ .swap = 1 }), CGROUP_BIT(CGROUP_MEMORY));
	cr_assert_eq(cgroup_limits_need(&(struct cgroup_limits){ .pids = 1, .cpu_weight = 1 }),
		CGROUP_BIT(CGROUP_PIDS) | CGROUP_BIT(CGROUP_CPU));
	cr_assert_eq(cgroup_limits_need(&(struct cgroup_limits){ .cpu_micros = 1, .io_weight = 1 }),
		CGROUP_BIT(CGROUP_CPU) | CGROUP_BIT(CGROUP_IO));
}

Test(open, takes_only_what_make_could_have_made)
{
	static const char *const bad[] = { "", "/", "cratons/x", "/sys/fs/cgroup", "/tmp/cratons/..",
		"/sys/fs/cgroup/cratons/", "/sys/fs/cgroup/cratons/a/b", "/a/../cratons/x", NULL };
	struct cgroup *g = NULL;

	for (const char *const *b = bad; *b; b++)
		cr_assert_eq(cgroup_open(&g, *b, NULL), -EINVAL, "%s", *b);
	cr_assert_eq(cgroup_open(&g, "/sys/fs/cgroup/cratons/none-of-this-name", NULL), -ENOENT);
	cr_assert_null(g);
}
