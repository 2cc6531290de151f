// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <mqueue.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static volatile char secret[64] = "untouched";

static void touched(int sig)
{
	(void)sig;
	memcpy((char *)secret, "signalled", 10);
}

/* FILE: what others try to change. Its pid and the address go to the file; then it waits until there
 * is FILE.done, and says whether it was touched. */
static int victim(char **args)
{
	char line[128];

	snprintf(line, sizeof(line), "%d %p\n", getpid(), (void *)secret);
	if (scribble(args[0], line))
		return 1;
	snprintf(line, sizeof(line), "%s.done", args[0]);
	signal(SIGIO, touched);
	for (int i = 0; i < 2400 && strcmp((const char *)secret, "untouched") == 0 && access(line, F_OK);
		i++)
		usleep(25000);
	printf("victim %s\n", (const char *)secret);
	return 0;
}

/* PID */
static int kill_it(char **args)
{
	return kill((pid_t)strtol(args[0], NULL, 10), SIGKILL) < 0 ? lost("kill") : 0;
}

/* Everything that can be reached: for use where only this probe and its victim are. */
static int kill_all(char **args)
{
	return kill(-1, SIGKILL) < 0 ? lost("kill") : 0;
}

/* PID ADDRESS TOKEN */
static int write_memory(char **args)
{
	struct iovec from = { args[2], strlen(args[2]) + 1 };
	struct iovec to = { (void *)strtoul(args[1], NULL, 16), strlen(args[2]) + 1 };

	return syscall(SYS_process_vm_writev, strtol(args[0], NULL, 10), &from, 1, &to, 1, 0) < 0 ?
		lost("process_vm_writev") : 0;
}

/* PID ADDRESS: eight bytes of it */
static int trace(char **args)
{
	pid_t pid = (pid_t)strtol(args[0], NULL, 10);
	long word;

	memcpy(&word, "touched", 8);
	if (ptrace(PTRACE_ATTACH, pid, NULL, NULL) < 0)
		return lost("ptrace");
	waitpid(pid, NULL, 0);
	if (ptrace(PTRACE_POKEDATA, pid, (void *)strtoul(args[1], NULL, 16), (void *)word) < 0)
		return lost("poke");
	return ptrace(PTRACE_DETACH, pid, NULL, NULL) < 0 ? lost("detach") : 0;
}

/* PID ADDRESS TOKEN, through /proc */
static int proc_mem(char **args)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%s/mem", args[0]);
	fd = open(path, O_WRONLY);
	if (fd < 0 || pwrite(fd, args[2], strlen(args[2]) + 1, (off_t)strtoul(args[1], NULL, 16)) < 0)
		return lost(path);
	return 0;
}

/* PID: by a descriptor instead of a number */
static int pidfd_kill(char **args)
{
	int fd = (int)syscall(SYS_pidfd_open, strtol(args[0], NULL, 10), 0);

	return fd < 0 || syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0) < 0 ?
		lost("pidfd_send_signal") : 0;
}

/* PID: with a value, as timers and queues send them */
static int queue_signal(char **args)
{
	return sigqueue((pid_t)strtol(args[0], NULL, 10), SIGKILL, (union sigval){ 0 }) < 0 ?
		lost("sigqueue") : 0;
}

/* PID: made the owner of a pipe, which tells it when there is something to read */
static int owner_signal(char **args)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0 ||
		fcntl(pair[0], F_SETOWN, (int)strtol(args[0], NULL, 10)) < 0 ||
		fcntl(pair[0], F_SETFL, O_ASYNC) < 0)
		return lost("F_SETOWN");
	return write(pair[1], "x", 1) == 1 ? 0 : lost("write");
}

/* PID ADDRESS: what is there */
static int read_memory(char **args)
{
	char data[64] = "";
	struct iovec to = { data, sizeof(data) - 1 };
	struct iovec from = { (void *)strtoul(args[1], NULL, 16), sizeof(data) - 1 };

	if (syscall(SYS_process_vm_readv, strtol(args[0], NULL, 10), &to, 1, &from, 1, 0) < 0)
		return lost("process_vm_readv");
	return puts(data) < 0;
}

/* PID: may open no more than seven files from now on */
static int limit_other(char **args)
{
	const struct rlimit limit = { 7, 7 };

	return prlimit((pid_t)strtol(args[0], NULL, 10), RLIMIT_NOFILE, &limit, NULL) < 0 ?
		lost("prlimit") : 0;
}

/* PID: gets the processor last */
static int nice_other(char **args)
{
	return setpriority(PRIO_PROCESS, (id_t)strtol(args[0], NULL, 10), 19) < 0 ? lost("setpriority") : 0;
}

/* PID: on the first processor only */
static int pin_other(char **args)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(0, &set);
	return sched_setaffinity((pid_t)strtol(args[0], NULL, 10), sizeof(set), &set) < 0 ?
		lost("sched_setaffinity") : 0;
}

/* TOKEN: before everything else on this machine */
static int real_time(char **args)
{
	const struct sched_param p = { .sched_priority = 1 };

	return sched_setscheduler(0, SCHED_RR, &p) < 0 ? lost("sched_setscheduler") : hold(args[0]);
}

static int raise_priority(char **args)
{
	return setpriority(PRIO_PROCESS, 0, -10) < 0 ? lost("setpriority") : hold(args[0]);
}

/* TOKEN: killed last when memory is short */
static int spare_me(char **args)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY);

	return fd < 0 || write(fd, "-500", 4) < 0 ? lost("oom_score_adj") : hold(args[0]);
}

/* PID: a descriptor of another process */
static int take_descriptor(char **args)
{
	int pid = (int)syscall(SYS_pidfd_open, strtol(args[0], NULL, 10), 0);

	for (int fd = 0; fd < 64; fd++)
		if (syscall(SYS_pidfd_getfd, pid, fd, 0) >= 0)
			return puts("taken") < 0;
	return lost("pidfd_getfd");
}

/* PID: what is known of another process of its own user */
static int look_into(char **args)
{
	static const char *const files[] = { "exe", "environ", "maps", "mem", "syscall", "auxv", "stack" };
	char path[64], data[64];

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		int fd;

		snprintf(path, sizeof(path), "/proc/%s/%s", args[0], files[i]);
		fd = open(path, O_RDONLY);
		if (fd >= 0 && (strcmp(files[i], "mem") == 0 || read(fd, data, sizeof(data)) > 0))
			printf("looked into %s\n", files[i]);
		if (fd >= 0)
			close(fd);
	}
	return 0;
}

/* PID: attached and let go */
static int attach(char **args)
{
	pid_t pid = (pid_t)strtol(args[0], NULL, 10);

	if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) < 0)
		return lost("ptrace");
	return puts("attached") < 0;
}

/* A crash, of which a file or the host's handler is told. */
static int crash(char **args)
{
	const struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };

	(void)args;
	setrlimit(RLIMIT_CORE, &all);
	abort();
}

/* VARIABLE...: their values */
static int variable(char **args)
{
	for (; *args; args++)
		if (getenv(*args))
			puts(getenv(*args));
	return 0;
}

/* Its own environment and that of every process that it can see. */
static int environment(char **args)
{
	char path[64];

	for (char **e = environ; *e; e++)
		puts(*e);
	for (int pid = 1; pid < 65536; pid++) {
		char data[65536];
		int fd;
		ssize_t n;

		snprintf(path, sizeof(path), "/proc/%d/environ", pid);
		fd = open(path, O_RDONLY);
		n = fd < 0 ? -1 : read(fd, data, sizeof(data));
		if (n > 0)
			fwrite(data, 1, (size_t)n, stdout);
		if (fd >= 0)
			close(fd);
	}
	return 0;
}

/* FILE: a daemon that leaves every session and writes to the file as long as it lives, five seconds
 * at most. */
static int orphan(char **args)
{
	if (fork() > 0)
		return 0;
	for (int fd = 0; fd < 3; fd++)
		close(fd);
	setsid();
	if (fork() > 0)
		_exit(0);
	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_IGN);
	for (int i = 0; i < 100; i++) {
		scribble(args[0], "x");
		usleep(50000);
	}
	_exit(0);
}

/* Children that wait, until there can be no more or COUNT; FILE gets how many. */
static int forks(char **args)
{
	long n = 0, max = strtol(args[1], NULL, 10);
	char line[32];

	for (; n < max; n++) {
		pid_t pid = fork();

		if (pid < 0)
			break;
		if (pid == 0) {
			sleep(2);
			_exit(0);
		}
	}
	snprintf(line, sizeof(line), "%ld\n", n);
	kill(0, 0);
	return scribble(args[0], line);
}

/* Spins, deaf to what may be ignored. FILE gets a byte each tenth of a second, five seconds at most. */
static int spin(char **args)
{
	struct timespec from, now;

	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_IGN);
	clock_gettime(CLOCK_MONOTONIC, &from);
	for (int beats = 0; beats < 50;) {
		clock_gettime(CLOCK_MONOTONIC, &now);
		if ((now.tv_sec - from.tv_sec) * 10 + (now.tv_nsec - from.tv_nsec) / 100000000 < beats)
			continue;
		scribble(args[0], "x");
		beats++;
	}
	return 0;
}

/* COUNT: descriptors */
static int descriptors(char **args)
{
	long n = 0, max = strtol(args[0], NULL, 10);
	const struct rlimit all = { (rlim_t)max + 64, (rlim_t)max + 64 };

	setrlimit(RLIMIT_NOFILE, &all);
	while (n < max && open("/dev/null", O_RDONLY) >= 0)
		n++;
	printf("opened %ld\n", n);
	return n < max;
}

/* COUNT: threads that wait */
static void *wait_here(void *data)
{
	sleep(3);
	return data;
}

static int threads(char **args)
{
	long n = 0, max = strtol(args[0], NULL, 10);
	pthread_attr_t attr;
	pthread_t thread;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 65536);
	while (n < max && pthread_create(&thread, &attr, wait_here, NULL) == 0)
		n++;
	printf("started %ld\n", n);
	return n < max;
}

/* MEGABYTES, in files that have no name and that no process maps */
static int memory_files(char **args)
{
	static char block[1 << 20];
	long n = 0, max = strtol(args[0], NULL, 10);
	int fd = memfd_create("probe", 0);

	while (n < max && write(fd, block, sizeof(block)) == sizeof(block))
		n++;
	printf("took %ld\n", n);
	return n < max;
}

/* MEGABYTES, in pipes that nobody reads */
static int pipes(char **args)
{
	static char block[65536];
	long n = 0, max = strtol(args[0], NULL, 10) * 16;
	int pair[2];

	while (n < max && pipe2(pair, O_NONBLOCK) == 0) {
		fcntl(pair[1], F_SETPIPE_SZ, 1 << 20);
		while (n < max && write(pair[1], block, sizeof(block)) == sizeof(block))
			n++;
	}
	printf("took %ld\n", n / 16);
	return n < max;
}

/* MEGABYTES, of System V's kind, which stays when the process ends */
static int shared_memory(char **args)
{
	long n = 0, max = strtol(args[0], NULL, 10);

	for (; n < max; n++) {
		int id = shmget(IPC_PRIVATE, 1 << 20, IPC_CREAT | 0600);
		char *p = id < 0 ? (char *)-1 : shmat(id, NULL, 0);

		if (p == (char *)-1)
			break;
		memset(p, 1, 1 << 20);
		shmctl(id, IPC_RMID, NULL);
	}
	printf("took %ld\n", n);
	return n < max;
}

/* MEGABYTES, in sockets that nobody reads */
static int sockets(char **args)
{
	static char block[65536];
	long n = 0, max = strtol(args[0], NULL, 10) * 16;
	int pair[2];

	while (n < max && socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == 0)
		while (n < max && write(pair[0], block, sizeof(block)) > 0)
			n++;
	printf("took %ld\n", n / 16);
	return n < max;
}

/* MEGABYTES, in message queues */
static int queues(char **args)
{
	static char block[8192];
	struct mq_attr attr = { .mq_maxmsg = 10, .mq_msgsize = sizeof(block) };
	long n = 0, max = strtol(args[0], NULL, 10) * 128;
	char name[32];

	for (int q = 0; n < max; q++) {
		mqd_t mq;

		snprintf(name, sizeof(name), "/probe%d", q);
		mq = mq_open(name, O_CREAT | O_WRONLY | O_NONBLOCK, 0600, &attr);
		if (mq < 0)
			break;
		mq_unlink(name);
		while (n < max && mq_send(mq, block, sizeof(block), 0) == 0)
			n++;
	}
	printf("took %ld\n", n / 128);
	return n < max;
}

/* MEGABYTES, touched; prints how far it came. */
static int memory(char **args)
{
	long n = 0, max = strtol(args[0], NULL, 10);

	for (; n < max; n++) {
		char *p = malloc(1 << 20);

		if (!p)
			break;
		memset(p, 1, 1 << 20);
	}
	printf("took %ld\n", n);
	return n < max;
}

const struct probe process_probes[] = {
	{ "victim", victim },
	{ "kill", kill_it },
	{ "kill-all", kill_all },
	{ "write-memory", write_memory },
	{ "trace", trace },
	{ "proc-mem", proc_mem },
	{ "pidfd-kill", pidfd_kill },
	{ "queue-signal", queue_signal },
	{ "owner-signal", owner_signal },
	{ "read-memory", read_memory },
	{ "limit-other", limit_other },
	{ "nice-other", nice_other },
	{ "pin-other", pin_other },
	{ "real-time", real_time },
	{ "raise-priority", raise_priority },
	{ "spare-me", spare_me },
	{ "take-descriptor", take_descriptor },
	{ "look-into", look_into },
	{ "attach", attach },
	{ "crash", crash },
	{ "variable", variable },
	{ "environment", environment },
	{ "orphan", orphan },
	{ "forks", forks },
	{ "spin", spin },
	{ "memory", memory },
	{ "memory-files", memory_files },
	{ "pipes", pipes },
	{ "shared-memory", shared_memory },
	{ "sockets", sockets },
	{ "queues", queues },
	{ "descriptors", descriptors },
	{ "threads", threads },
	{ NULL, NULL },
};
