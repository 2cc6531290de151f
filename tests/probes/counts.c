// SPDX-License-Identifier: GPL-2.0-or-later
/* What the kernel counts for a user or for all: who takes all of it leaves nothing to others. */
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <mqueue.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ipc.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool instance(void)
{
	return inotify_init1(IN_CLOEXEC) >= 0;
}

static bool pending_signal(void)
{
	union sigval value = { 0 };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return sigqueue(getpid(), SIGRTMIN, value) == 0;
}

static bool message_queue(void)
{
	struct mq_attr attr = { .mq_maxmsg = 10, .mq_msgsize = 8192 };
	char name[32];
	static int n;
	mqd_t q;

	snprintf(name, sizeof(name), "/probe%d.%d", getpid(), n++);
	q = mq_open(name, O_CREAT | O_WRONLY, 0600, &attr);
	if (q != (mqd_t)-1)
		mq_unlink(name);
	return q != (mqd_t)-1;
}

static bool locked_memory(void)
{
	int id = shmget(IPC_PRIVATE, 1 << 16, IPC_CREAT | 0600);
	bool ok = id >= 0 && shmat(id, NULL, 0) != (void *)-1 && shmctl(id, SHM_LOCK, NULL) == 0;

	if (id >= 0)
		shmctl(id, IPC_RMID, NULL);
	return ok;
}

static void *wait_here(void *data)
{
	sleep(10);
	return data;
}

static bool process(void)
{
	pthread_attr_t attr;
	pthread_t thread;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 16384);
	return pthread_create(&thread, &attr, wait_here, NULL) == 0;
}

static bool terminal(void)
{
	return open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC) >= 0;
}

static bool aio_events(void)
{
	aio_context_t context = 0;

	return syscall(SYS_io_setup, 1024, &context) == 0;
}

static const struct {
	const char *name;
	bool (*take)(void);
} kinds[] = {
	{ "instances", instance }, { "signals", pending_signal }, { "queues", message_queue },
	{ "locked", locked_memory }, { "processes", process }, { "terminals", terminal },
	{ "events", aio_events },
};

static bool (*kind_of(const char *name))(void)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kinds[i].name, name) == 0)
			return kinds[i].take;
	fprintf(stderr, "no kind '%s'\n", name);
	exit(2);
}

/* KIND TOKEN MOST: all that can be had */
static int use_up(char **args)
{
	bool (*take)(void) = kind_of(args[0]);
	struct rlimit files;
	long n = 0, max = strtol(args[2], NULL, 10);

	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	while (n < max && take())
		n++;
	printf("took %ld: %s\n", n, strerror(errno));
	return hold(args[1]);
}

/* KIND COUNT: is there some left? */
static int take_some(char **args)
{
	bool (*take)(void) = kind_of(args[0]);
	long n = 0, max = strtol(args[1], NULL, 10);

	while (n < max && take())
		n++;
	printf("took %ld\n", n);
	return n < max;
}

const struct probe count_probes[] = {
	{ "use-up", use_up },
	{ "take-some", take_some },
	{ NULL, NULL },
};
