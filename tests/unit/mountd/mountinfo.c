// SPDX-License-Identifier: GPL-2.0-or-later
#include "helpers/mountd/mountinfo.h"

#include "prim/attr.h"
#include "prim/str.h"

#include <criterion/criterion.h>
#include <cratons/wire/mountd.h>
#include <fcntl.h>
#include <sys/stat.h>

static const char host[] =
	"21 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw,errors=remount-ro\n"
	"22 21 0:20 / /proc rw,nosuid shared:2 master:9 - proc proc rw\n"
	"30 21 0:31 / /home/a/node_modules ro,nosuid,nodev - fuse.cratons cratons ro,user_id=1000,group_id=1000\n"
	"31 21 0:32 / /home/a/with\\040space\\012line ro - fuse.cratons cratons ro,user_id=1000,group_id=10\n"
	"32 21 0:33 / /home/b/- ro - fuse.cratons cratons ro,group_id=1000,user_id=10000\n"
	"33 30 0:34 / /home/a/node_modules/x rw - tmpfs tmpfs rw,user_id=1000\n"
	"34 21 0:35 / /mnt rw - fuse.sshfs user_id=1000 rw,user_id=1000,group_id=1000\n"
	"35 35 0:36 / /own-parent rw - xfs none rw\n";

static struct mountinfo ask(const char *text, uint64_t id, uint32_t uid)
{
	struct mountinfo m = { .id = id, .uid = uid };

	mountinfo_feed(&m, text, strlen(text));
	return m;
}

Test(mountinfo, finds_one_mount_by_its_number)
{
	struct mountinfo m = ask(host, 30, 1000);

	cr_assert(m.found && m.of_user);
	cr_assert_eq(m.kind, MOUNT_CRATONS);
	cr_assert_eq(m.parent, 21);
	cr_assert_eq(m.children, 1);
	m = ask(host, 21, 1000);
	cr_assert(m.found && !m.of_user);
	cr_assert_eq(m.kind, MOUNT_PLAIN);
	cr_assert_eq(ask(host, 22, 1000).kind, MOUNT_OTHER);
	cr_assert_eq(ask(host, 34, 1000).kind, MOUNT_OTHER);
	cr_assert_not(ask(host, 34, 1000).of_user);
	cr_assert_not(ask(host, 99, 1000).found);
	cr_assert_not(ask(host, 2, 1000).found);
}

Test(mountinfo, counts_a_users_mounts)
{
	cr_assert_eq(ask(host, 1, 1000).users, 2);
	cr_assert_eq(ask(host, 1, 10000).users, 1);
	cr_assert_eq(ask(host, 1, 100).users, 0);
	cr_assert_eq(ask(host, 1, 0).users, 0);
	cr_assert_eq(ask(host, 1, 1000).all, 3);
	cr_assert_eq(ask(host, 35, 1000).children, 0);
}

Test(mountinfo, does_not_depend_on_how_it_is_cut)
{
	for (size_t cut = 1; cut < 100; cut++) {
		struct mountinfo m = { .id = 31, .uid = 1000 };

		for (size_t at = 0; at < strlen(host); at += cut)
			mountinfo_feed(&m, host + at, MIN(cut, strlen(host) - at));
		cr_assert(m.found && m.of_user);
		cr_assert_eq(m.users, 2);
	}
}

/* A line is believed whole or not at all; what is too long to be anything is nothing. */
Test(mountinfo, what_is_no_line_says_nothing)
{
	static const char *const wrong[] = {
		"30 21 0:31 / /x ro - fuse.cratons cratons ro,user_id=1000",		/* no end */
		"30 21 0:31 / /x ro fuse.cratons cratons ro,user_id=1000\n",		/* no dash */
		"30 - 0:31 / /x ro - fuse.cratons cratons ro,user_id=1000\n",
		"30x 21 0:31 / /x ro - fuse.cratons cratons ro,user_id=1000\n",
		"-30 21 0:31 / /x ro - fuse.cratons cratons ro,user_id=1000\n",
		"30 21 0:31 / /x ro - fuse.cratons\n",
		"\n", " \n", "",
		"99999999999999999999999999 21 0:31 / /x ro - fuse.cratons cratons ro,user_id=1000\n",
	};

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct mountinfo m = ask(wrong[i], 30, 1000);

		cr_assert(!m.found && m.users == 0 && m.all == 0, "%zu", i);
	}
	cr_assert_not(ask("30 21 0:31 / /x ro - fuse.cratons c user_id=1000x\n", 30, 1000).of_user);
	cr_assert_not(ask("30 21 0:31 / /x ro - fuse.cratons c user_id=\n", 30, 0).of_user);
	cr_assert_not(ask("30 21 0:31 / /x ro - fuse.cratons c user_id\n", 30, 0).of_user);
	cr_assert_not(ask("30 21 0:31 / /x ro - fuse.cratons c user_id=4294968296\n", 30, 1000).of_user);
	cr_assert_not(ask("30 21 0:31 / /x ro - fuse.cratonsfuse.cratonsfuse.cratonsfuse.cratons c user_id=1000\n", 30,
		1000).of_user);
}

Test(mountinfo, a_path_cannot_be_taken_for_the_rest_of_its_line)
{
	/* The kernel escapes blanks in paths and sources, so a lone dash is where it belongs. */
	struct mountinfo m = ask("40 21 0:31 /a /b rw shared:1 - tmpfs fuse.cratons rw,x=user_id=1000\n", 40, 1000);

	cr_assert(m.found && !m.of_user);
	cr_assert_eq(m.kind, MOUNT_PLAIN);
}

Test(mountinfo, the_real_one_has_the_mount_of_a_descriptor)
{
	struct statx st;
	struct mountinfo m = { .uid = 0 };

	cr_assert_eq(statx(AT_FDCWD, "/proc", AT_NO_AUTOMOUNT, 0, &st), 0);
	m.id = st.stx_mnt_id;
	cr_assert_eq(mountinfo_read(&m), 0);
	cr_assert(m.found);
	cr_assert_eq(m.kind, MOUNT_OTHER);
}

Test(mountd, frames_are_what_other_versions_expect)
{
	cr_assert_eq(offsetof(struct mountd_request, protocol), 4);
	cr_assert_eq(offsetof(struct mountd_request, operation), 6);
	cr_assert_eq(offsetof(struct mountd_reply, protocol), 4);
	cr_assert_eq(offsetof(struct mountd_reply, status), 6);
	cr_assert_eq(offsetof(struct mountd_reply, error), 8);
	cr_assert_eq(MOUNTD_DONE, 1);
	cr_assert_eq(MOUNTD_FAILED, 14);
}
