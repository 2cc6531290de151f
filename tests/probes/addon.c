// SPDX-License-Identifier: GPL-2.0-or-later
/* What a native add-on can do before any of its functions is called: the file that PROBE_FILE names. */
#include <stdio.h>
#include <stdlib.h>

__attribute__((constructor)) static void loaded(void)
{
	const char *path = getenv("PROBE_FILE");
	FILE *f = path ? fopen(path, "r") : NULL;
	char line[256];

	if (f && fgets(line, sizeof(line), f))
		fputs(line, stdout);
	fflush(stdout);
}
