// SPDX-License-Identifier: GPL-2.0-or-later
/* A mount on the host for a person who may not mount, through the administrator's cratons-mountd. */
#include "server.h"

#include "base/fd.h"
#include "base/mountd.h"
#include "prim/err.h"

#include <errno.h>
#include <fcntl.h>

int service_mount(const char *at, struct diag *d)
{
	_cleanup_fd_ int directory = open(at, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), device = -1;

	if (directory < 0)
		return diag_errno(d, -errno, "cannot mount at %s", at);
	device = mountd_ask(MOUNTD_MOUNT, directory, d);
	if (device == -ENXIO)
		return device;
	if (device < 0) {
		diag_context(d, "cannot mount at %s", at);
		return diag_hint(d, "the directory must be yours, and on a disk of this host");
	}
	if (fcntl(device, F_SETFL, O_RDWR | O_NONBLOCK) < 0)
		return diag_errno(d, -errno, "cannot use the device for the mount at %s", at);
	return TAKE_FD(device);
}
