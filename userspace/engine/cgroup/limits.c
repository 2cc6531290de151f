// SPDX-License-Identifier: GPL-2.0-or-later
/* The limits: one line each of which file of which controller says it. */
#include "engine/cgroup/cgroup-priv.h"

#include "prim/err.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#define TEXT_MAX   64
#define PERIOD	   100000u	/* of cpu.max, µs: the kernel's default */
#define QUOTA_MIN  1000u	/* what the kernel takes at least */
#define WEIGHT_MAX 10000u

int cgroup_write(int dirfd, const char *file, const char *text)
{
	_cleanup_fd_ int fd = openat(dirfd, file, O_WRONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd_write_all(fd, text, strlen(text));
}

/* Each gives the text to write, or false when the limit was not asked for. */
static bool bytes(uint64_t value, char *text)
{
	snprintf(text, TEXT_MAX, "%llu", (unsigned long long)value);
	return value != 0;
}

static bool memory_max(const struct cgroup_limits *l, char *text)
{
	return bytes(l->memory, text);
}

/* Where memory is bounded and swap was not asked for, there is none. */
static bool swap_max(const struct cgroup_limits *l, char *text)
{
	bytes(l->swap, text);
	return l->memory || l->swap;
}

/* A container that lost one process to the limit is broken: all of it ends. */
static bool oom_group(const struct cgroup_limits *l, char *text)
{
	snprintf(text, TEXT_MAX, "1");
	return l->memory != 0;
}

static bool pids_max(const struct cgroup_limits *l, char *text)
{
	return bytes(l->pids, text);
}

static bool cpu_max(const struct cgroup_limits *l, char *text)
{
	bool slow = l->cpu_micros < 10 * QUOTA_MIN;

	snprintf(text, TEXT_MAX, "%llu %u", (unsigned long long)(slow ? l->cpu_micros : l->cpu_micros / 10),
		slow ? 10 * PERIOD : PERIOD);
	return l->cpu_micros != 0;
}

static bool cpu_weight(const struct cgroup_limits *l, char *text)
{
	return bytes(l->cpu_weight, text);
}

static bool io_weight(const struct cgroup_limits *l, char *text)
{
	snprintf(text, TEXT_MAX, "default %llu", (unsigned long long)l->io_weight);
	return l->io_weight != 0;
}

static const struct limit {
	const char *what;
	enum cgroup_controller controller;
	const char *file;
	bool (*text)(const struct cgroup_limits *l, char *text);
} limits[] = {
	{ "memory", CGROUP_MEMORY, "memory.max", memory_max },
	{ "swap", CGROUP_MEMORY, "memory.swap.max", swap_max },
	{ "memory", CGROUP_MEMORY, "memory.oom.group", oom_group },
	{ "the number of processes", CGROUP_PIDS, "pids.max", pids_max },
	{ "processor time", CGROUP_CPU, "cpu.max", cpu_max },
	{ "the share of processor time", CGROUP_CPU, "cpu.weight", cpu_weight },
	{ "the share of input and output", CGROUP_IO, "io.weight", io_weight },
};

unsigned cgroup_limits_need(const struct cgroup_limits *l)
{
	char text[TEXT_MAX];
	unsigned need = 0;

	for (size_t i = 0; i < ARRAY_SIZE(limits); i++)
		if (limits[i].text(l, text))
			need |= CGROUP_BIT(limits[i].controller);
	return need;
}

/* A host without swap needs no limit of it: its kernel may have no such file. */
static bool is_moot(const struct limit *one, const struct cgroup_limits *l)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	return one->text == swap_max && l->swap == 0 &&
		file_slurp(AT_FDCWD, "/proc/swaps", &b, CGROUP_FILE_MAX) == 0 &&
		str_find(buf_str(&b), '\n', 0) + 1 >= b.len;
}

static int check_values(const struct cgroup_limits *l, struct diag *d)
{
	if (l->cpu_micros && l->cpu_micros < QUOTA_MIN)
		return diag_fail(d, -EINVAL, "a container needs at least 0.001 of a processor");
	if (l->cpu_weight > WEIGHT_MAX || l->io_weight > WEIGHT_MAX)
		return diag_fail(d, -EINVAL, "a weight is a number from 1 to %u", WEIGHT_MAX);
	return 0;
}

static int refused(const struct limit *one, const char *text, int r, struct diag *d)
{
	if (r != -ENOENT)
		return diag_errno(d, err_errno(r) == -EACCES ? -ERR_NO_WALL : r,
			"cannot limit %s (%s to %s)", one->what, one->file, text);
	diag_fail(d, -ERR_NO_WALL, "cannot limit %s: this kernel has no %s", one->what, one->file);
	if (one->text == swap_max)
		return diag_hint(d, "boot with swapaccount=1, or turn swap off");
	return diag_hint(d, "leave the limit out, or use --best-effort");
}

int cgroup_limits_set(int dirfd, const struct cgroup_limits *l, unsigned given,
	void (*warn)(void *data, const char *text), void *data, struct diag *d)
{
	_cleanup_diag_ struct diag why = DIAG_INIT;
	char text[TEXT_MAX];
	int r = check_values(l, d);

	for (size_t i = 0; i < ARRAY_SIZE(limits) && r == 0; i++) {
		const struct limit *one = &limits[i];

		if (!one->text(l, text) || !(given & CGROUP_BIT(one->controller)))
			continue;
		r = cgroup_write(dirfd, one->file, text);
		if (r == 0 || (r == -ENOENT && is_moot(one, l))) {
			r = 0;
			continue;
		}
		r = refused(one, text, r, &why);
		if (!l->best_effort)
			return diag_copy(d, &why);
		if (warn)
			warn(data, buf_text(&why.what));
		r = 0;
	}
	return r;
}
