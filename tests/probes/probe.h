/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Attacks, one function each. A probe only does; whether it won is judged from outside, by a file, a
 * listener, a victim or what /proc shows of it (tests/probes/run). What it returns is for a person.
 */
#ifndef CRATONS_TESTS_PROBE_H
#define CRATONS_TESTS_PROBE_H

#include <stddef.h>

struct probe {
	const char *name;
	int (*run)(char **args);	/* NULL-terminated */
};

extern const struct probe file_probes[], network_probes[], process_probes[], kernel_probes[],
	call_probes[], count_probes[];

/* Prints what failed and returns 1. */
int lost(const char *what);
/* Takes the token as its process name and stays for a while, so that the runner can look at it. */
int hold(const char *token);
/* Prints a file. */
int show(const char *path);
/* Adds a line to a file that it may have to make. */
int scribble(const char *path, const char *line);

#endif
