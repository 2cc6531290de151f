// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static volatile char secret[64] = "untouched";

/* FILE: what others try to change. Its pid and the address go to the file; then it waits, and says
 * whether it was touched. */
static int victim(char **args)
{
	char line[128];

	snprintf(line, sizeof(line), "%d %p\n", getpid(), (void *)secret);
	if (scribble(args[0], line))
		return 1;
	for (int i = 0; i < 16 && strcmp((const char *)secret, "untouched") == 0; i++)
		usleep(50000);
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
	{ "environment", environment },
	{ "orphan", orphan },
	{ "forks", forks },
	{ "spin", spin },
	{ "memory", memory },
	{ NULL, NULL },
};
