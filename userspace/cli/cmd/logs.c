// SPDX-License-Identifier: GPL-2.0-or-later
#include "container.h"
#include "base/fd.h"

#include <errno.h>
#include <stdio.h>

static bool arg_follow;

const struct opt logs_options[] = {
	OPT_FLAG("follow", 'f', &arg_follow),
	OPT_ARGS("CONTAINER", 1, 1),
	OPT_END,
};

/* Each to the stream that it came from, at once: somebody may be watching. */
static int put(void *data, int stream, const void *bytes, size_t n)
{
	return fd_write_all(stream, bytes, n);
}

int cmd_logs(struct cmd *c)
{
	_cleanup_arena_ struct arena a = ARENA_INIT;
	struct container_record k;
	int r = container_named(c, &a, c->argv[0], &k);

	if (r == 0)
		r = container_logs(cmd_home(c), &k, arg_follow, put, NULL, &c->diag);
	return r == -EPIPE ? 0 : r;
}
