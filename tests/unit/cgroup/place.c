// SPDX-License-Identifier: GPL-2.0-or-later
/* Where cgroups would be made, on hosts that are trees of ordinary files. */
#include "engine/cgroup/cgroup-priv.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#define PID 77

static char top[64];
static char mount_unified[128], mount_plain[128], proc[128];
static const char *const fake_mounts[] = { mount_plain, mount_unified, NULL };
static struct cgroup_view view = { proc, fake_mounts, 1000, PID };

static void put(const char *path, const char *text)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	buf_addf(&b, "%s/%s", top, path);
	*strrchr(b.data, '/') = '\0';
	cr_assert_eq(dir_make_all(AT_FDCWD, b.data, 0755), 0);
	buf_reset(&b);
	buf_addf(&b, "%s/%s", top, path);
	cr_assert_eq(file_replace(AT_FDCWD, b.data, text, strlen(text), 0644), 0);
}

/* A cgroup that the user may use, as far as its files say. */
static void put_cgroup(const char *path, const char *has, const char *gives, const char *procs)
{
	char file[512];
	const char *const files[][2] = { { "cgroup.controllers", has },
		{ "cgroup.subtree_control", gives }, { "cgroup.procs", procs }, { "cgroup.type", "domain\n" } };

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		snprintf(file, sizeof(file), "%s/%s", path, files[i][0]);
		put(file, files[i][1]);
	}
}

static void read_only(const char *path)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	buf_addf(&b, "%s/%s/cgroup.procs", top, path);
	cr_assert_eq(unlink(b.data), 0);
}

static void setup(void)
{
	snprintf(top, sizeof(top), "/tmp/unit-cgroup.XXXXXX");
	cr_assert_not_null(mkdtemp(top));
	snprintf(proc, sizeof(proc), "%s/proc", top);
	snprintf(mount_plain, sizeof(mount_plain), "%s/fs", top);
	snprintf(mount_unified, sizeof(mount_unified), "%s/fs/unified", top);
}

static void teardown(void)
{
	remove_all(AT_FDCWD, top);
}

TestSuite(place, .init = setup, .fini = teardown);

/* A host whose hierarchy is root's, with this process in `own` (a line of /proc/self/cgroup). */
static void put_host(const char *has, const char *own)
{
	put_cgroup("fs", has, has, "1\n");
	read_only("fs");
	put("proc/self/cgroup", own);
}

static const char *found(unsigned wanted, struct cgroup_place *p)
{
	cgroup_place_done(p);
	*p = (struct cgroup_place)CGROUP_PLACE_INIT;
	cr_assert_eq(cgroup_place_find(&view, wanted, p), 0);
	return buf_text(&p->path) + strlen(top);
}

Test(place, own_delegated_cgroup)
{
	_cleanup_place_ struct cgroup_place p = CGROUP_PLACE_INIT;

	put_host("cpu io memory pids\n", "0::/given\n");
	put_cgroup("fs/given", "memory pids\n", "", "77\n");
	cr_assert_str_eq(found(CGROUP_BIT(CGROUP_MEMORY), &p), "/fs/given");
	cr_assert(p.self);
	cr_assert_not(p.root);
	cr_assert_eq(p.gives, CGROUP_BIT(CGROUP_MEMORY) | CGROUP_BIT(CGROUP_PIDS));
}

Test(place, a_cgroup_with_others_in_it_gives_nothing)
{
	_cleanup_place_ struct cgroup_place p = CGROUP_PLACE_INIT;
	_cleanup_buf_ struct buf why = BUF_INIT, fix = BUF_INIT;

	put_host("memory\n", "0::/given\n");
	put_cgroup("fs/given", "memory\n", "", "77\n5\n0\n");
	found(CGROUP_BIT(CGROUP_MEMORY), &p);
	cr_assert_eq(p.gives, 0);
	cr_assert_eq(p.others, 2);
	cgroup_lacks(&view, &p, CGROUP_MEMORY, &why, &fix);
	cr_assert_not_null(strstr(buf_text(&why), "2 other processes"));
	cr_assert_not_null(strstr(buf_text(&fix), "systemd-run"));
}

Test(place, the_nearest_above_that_gives_enough)
{
	_cleanup_place_ struct cgroup_place p = CGROUP_PLACE_INIT;

	put_host("cpu memory pids\n", "9:memory:/x\n0::/given/cratons-supervisor\n");
	put_cgroup("fs/given", "cpu memory pids\n", "memory pids\n", "");
	put_cgroup("fs/given/cratons-supervisor", "memory pids\n", "", "77\n");
	cr_assert_str_eq(found(CGROUP_BIT(CGROUP_PIDS), &p), "/fs/given");
	cr_assert_not(p.self);
	cr_assert_str_eq(found(CGROUP_BIT(CGROUP_CPU), &p), "/fs/given");
}

Test(place, what_is_systemds_is_not_ours)
{
	_cleanup_place_ struct cgroup_place p = CGROUP_PLACE_INIT;

	put_host("memory\n", "0::/user@1000.service/app.slice/terminal.scope\n");
	put_cgroup("fs/user@1000.service", "memory\n", "memory\n", "");
	put_cgroup("fs/user@1000.service/app.slice", "memory\n", "memory\n", "");
	put_cgroup("fs/user@1000.service/app.slice/terminal.scope", "memory\n", "", "77\n78\n");
	cr_assert_str_eq(found(CGROUP_BIT(CGROUP_MEMORY), &p), "/fs/user@1000.service/app.slice/terminal.scope");
	cr_assert_eq(p.gives, 0);
}

Test(place, root_uses_the_root_also_of_a_hybrid_host)
{
	_cleanup_place_ struct cgroup_place p = CGROUP_PLACE_INIT;
	_cleanup_buf_ struct buf why = BUF_INIT, fix = BUF_INIT;
	char type[256];

	view.uid = 0;
	put("fs/memory/tasks", "");
	put_cgroup("fs/unified", "hugetlb\n", "", "1\n77\n");
	snprintf(type, sizeof(type), "%s/cgroup.type", mount_unified);
	unlink(type);
	put("proc/self/cgroup", "9:memory:/x\n0::/\n");
	put("proc/cgroups", "#subsys_name\thierarchy\tnum_cgroups\tenabled\nmemory\t4\t20\t1\nblkio\t0\t1\t0\n");
	cr_assert_str_eq(found(CGROUP_BIT(CGROUP_MEMORY), &p), "/fs/unified");
	cr_assert(p.root);
	cr_assert_eq(p.gives, 0);
	cgroup_lacks(&view, &p, CGROUP_MEMORY, &why, &fix);
	cr_assert_not_null(strstr(buf_text(&why), "cgroup v1"));
	cr_assert_not_null(strstr(buf_text(&fix), "unified_cgroup_hierarchy"));
	buf_reset(&why);
	buf_reset(&fix);
	cgroup_lacks(&view, &p, CGROUP_IO, &why, &fix);
	cr_assert_not_null(strstr(buf_text(&why), "disabled"));
	cr_assert_not_null(strstr(buf_text(&fix), "cgroup_disable=io"));
}

Test(place, without_v2_there_is_none)
{
	_cleanup_place_ struct cgroup_place p = CGROUP_PLACE_INIT;
	_cleanup_buf_ struct buf why = BUF_INIT, fix = BUF_INIT;

	put("fs/memory/tasks", "");
	cr_assert_eq(cgroup_place_find(&view, 0, &p), -ENOENT);
	cgroup_lacks(&view, NULL, CGROUP_MEMORY, &why, &fix);
	cr_assert_not_null(strstr(buf_text(&why), "not mounted"));
}

Test(place, nothing_delegated)
{
	_cleanup_place_ struct cgroup_place p = CGROUP_PLACE_INIT;
	_cleanup_buf_ struct buf why = BUF_INIT, fix = BUF_INIT;

	put_host("memory\n", "0::/session\n");
	put_cgroup("fs/session", "memory\n", "", "77\n");
	read_only("fs/session");
	cr_assert_eq(cgroup_place_find(&view, CGROUP_BIT(CGROUP_MEMORY), &p), -EACCES);
	cgroup_lacks(&view, NULL, CGROUP_MEMORY, &why, &fix);
	cr_assert_not_null(strstr(buf_text(&fix), "Delegate=cpu cpuset io memory pids"));
}

Test(place, a_cgroup_outside_of_the_mount_is_no_place)
{
	_cleanup_place_ struct cgroup_place p = CGROUP_PLACE_INIT;

	put_host("memory\n", "0::/../../other\n");
	cr_assert_eq(cgroup_place_find(&view, 0, &p), -EACCES);
	put("proc/self/cgroup", "no lines\n");
	cr_assert_eq(cgroup_place_find(&view, 0, &p), -EACCES);
}
