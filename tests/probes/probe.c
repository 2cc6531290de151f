// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

int lost(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	return 1;
}

int hold(const char *token)
{
	prctl(PR_SET_NAME, token);
	printf("holding\n");
	fflush(stdout);
	sleep(10);	/* until it was looked at, and ended */
	return 0;
}

int show(const char *path)
{
	char data[65536];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, data, sizeof(data));

	if (n < 0)
		return lost(path);
	return fwrite(data, 1, (size_t)n, stdout) == (size_t)n ? 0 : 1;
}

int scribble(const char *path, const char *line)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

	if (fd < 0 || write(fd, line, strlen(line)) < 0)
		return lost(path);
	close(fd);
	return 0;
}

static int run(const struct probe *probes, char **argv)
{
	for (; probes->name; probes++)
		if (strcmp(probes->name, argv[1]) == 0)
			return probes->run(argv + 2);
	return -1;
}

int main(int argc, char **argv)
{
	const struct probe *const all[] = { file_probes, network_probes, process_probes,
		kernel_probes, call_probes, count_probes };
	int r = -1;

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (size_t i = 0; argc > 1 && i < sizeof(all) / sizeof(all[0]) && r < 0; i++)
		r = run(all[i], argv);
	if (r < 0)
		fprintf(stderr, "usage: probe NAME [ARGUMENT...]\n");
	return r < 0 ? 2 : r;
}
