// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/mount/mount.h"

#include "base/fd.h"
#include "prim/err.h"
#include "tests/unit/scratch.h"

#include <cratons/wire/fused.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

Test(mount, a_program_that_is_not_there_is_named)
{
	_cleanup_diag_ struct diag d = DIAG_INIT;
	struct mount_server *server = NULL;
	_cleanup_(scratch_done) struct scratch s = scratch_new();

	setenv("CRATONS_FUSED", "/nowhere/cratons-fused", 1);
	cr_assert_eq(mount_server_join(&server, s.fd, s.path, &d), -ERR_MOUNT);
	cr_assert_not_null(strstr(buf_text(&d.what), "/nowhere/cratons-fused"));
	cr_assert_null(server);
}

Test(mount, a_server_that_ends_at_once_is_an_error)
{
	_cleanup_diag_ struct diag d = DIAG_INIT;
	struct mount_server *server = NULL;
	_cleanup_(scratch_done) struct scratch s = scratch_new();

	setenv("CRATONS_FUSED", "/bin/true", 1);
	cr_assert_eq(mount_server_join(&server, s.fd, s.path, &d), -ERR_MOUNT);
	cr_assert_null(server);
}

/* A socket left behind, and a listener that says nothing sensible, count as no server. */
Test(mount, a_dead_or_foreign_socket_is_not_believed)
{
	_cleanup_diag_ struct diag d = DIAG_INIT;
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	struct mount_server *server = NULL;
	_cleanup_(scratch_done) struct scratch s = scratch_new();
	int fd;

	setenv("CRATONS_FUSED", "/bin/true", 1);
	cr_assert_eq(mkdirat(s.fd, "run", 0700), 0);
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s/run/" FUSED_SOCKET, s.path);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	cr_assert_eq(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	close(fd);
	cr_assert_eq(mount_server_join(&server, s.fd, s.path, &d), -ERR_MOUNT);
	cr_assert_null(server);
}

Test(mount, healing_where_nothing_is_mounted_does_nothing)
{
	_cleanup_diag_ struct diag d = DIAG_INIT;

	cr_assert_eq(mount_heal("/nowhere at all", &d), 0);
	cr_assert_eq(mount_host_remove("/tmp", &d), -EINVAL);
}

Test(mount, frames_are_what_other_versions_expect)
{
	cr_assert_eq(offsetof(struct fused_hello, protocol), 4);
	cr_assert_eq(offsetof(struct fused_reply, protocol), 4);
	cr_assert_eq(offsetof(struct fused_reply, status), 6);
	cr_assert_eq(offsetof(struct fused_reply, text), 24);
}
