// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The main() of a fuzz harness that is not built for fuzzing: gives each file named on the command
 * line (or each file of a folder named) to the harness once, and prints TAP.
 */
#include "base/fd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(int dirfd, const char *name, int *count)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	int r = file_slurp(dirfd, name, &b, 64 << 20);

	if (r == -EISDIR)
		return r;
	if (r < 0) {
		printf("not ok %d - %s cannot be read\n", ++*count, name);
		return 0;
	}
	LLVMFuzzerTestOneInput((const uint8_t *)buf_text(&b), b.len);
	printf("ok %d - %s\n", ++*count, name);
	return 0;
}

static void replay_folder(const char *path, int *count)
{
	DIR *dir = opendir(path);
	struct dirent *e;

	if (!dir) {
		printf("not ok %d - %s cannot be opened\n", ++*count, path);
		return;
	}
	while ((e = readdir(dir)))
		if (e->d_name[0] != '.')
			replay_file(dirfd(dir), e->d_name, count);
	closedir(dir);
}

int main(int argc, char **argv)
{
	int count = 0;

	for (int i = 1; i < argc; i++)
		if (replay_file(AT_FDCWD, argv[i], &count) == -EISDIR)
			replay_folder(argv[i], &count);
	printf("1..%d\n", count);
	return count == 0;
}
