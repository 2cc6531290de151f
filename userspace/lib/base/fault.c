// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/fault.h"

#ifdef CRATONS_FAULT
#include "base/fd.h"
#include "prim/str.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>

/* Only in a build made for breaking things: one count for the whole process. */
static atomic_ulong count;
static uint64_t at;
static bool enospc;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void write_count(void)
{
	_cleanup_fd_ int fd = open(getenv("CRATONS_FAULT_COUNT_FILE"),
		O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd >= 0)
		dprintf(fd, "%lu\n", atomic_load(&count));
}

static void prepare(void)
{
	const char *mode = getenv("CRATONS_FAULT_MODE");

	(void)!str_u64(str_from(getenv("CRATONS_FAULT_AT")), &at);
	enospc = mode && str_is(str_from(mode), "enospc");
	if (getenv("CRATONS_FAULT_COUNT_FILE"))
		atexit(write_count);
}

int fault_point(const char *name)
{
	unsigned long n;

	pthread_once(&once, prepare);
	n = atomic_fetch_add(&count, 1) + 1;
	if (at == 0 || n != at)
		return 0;
	if (getenv("CRATONS_FAULT_VERBOSE"))
		dprintf(2, "fault %lu: %s\n", n, name);
	if (enospc)
		return -ENOSPC;
	raise(SIGKILL);
	return -EINTR;
}
#endif
