// SPDX-License-Identifier: GPL-2.0-or-later
/* What a cgroup has used, and what the kernel refused it. */
#include "engine/cgroup/cgroup-priv.h"

#include <errno.h>
#include <fcntl.h>

uint64_t cgroup_field(const char *text, const char *key)
{
	uint64_t value;

	for (struct str rest = str_from(text); rest.p;) {
		struct str line = str_cut(&rest, '\n');

		if (str_is(str_cut(&line, ' '), key) && str_u64(str_trim(line), &value) == 0)
			return value;
	}
	return CGROUP_UNLIMITED;
}

uint64_t cgroup_sum(const char *text, const char *key)
{
	uint64_t sum = 0, value;

	for (struct str rest = str_from(text); rest.p;) {
		struct str line = str_cut(&rest, '\n');

		while (line.p) {
			struct str word = str_cut(&line, ' ');

			if (str_is(str_cut(&word, '='), key) && word.p && str_u64(word, &value) == 0)
				sum += value;
		}
	}
	return sum;
}

static const char *read_text(const struct cgroup *g, const char *file, struct buf *b)
{
	return file_slurp(g->fd, file, b, CGROUP_FILE_MAX) < 0 ? NULL : buf_text(b);
}

static uint64_t number(const struct cgroup *g, const char *file)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	uint64_t value;

	return read_text(g, file, &b) && str_u64(str_trim(buf_str(&b)), &value) == 0 ? value :
		CGROUP_UNLIMITED;
}

static uint64_t field(const struct cgroup *g, const char *file, const char *key)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	const char *text = read_text(g, file, &b);

	return text ? cgroup_field(text, key) : CGROUP_UNLIMITED;
}

static uint64_t sum(const struct cgroup *g, const char *file, const char *key)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	const char *text = read_text(g, file, &b);

	return text ? cgroup_sum(text, key) : CGROUP_UNLIMITED;
}

int cgroup_usage(struct cgroup *g, struct cgroup_usage *ret)
{
	if (!g || faccessat(g->fd, "cgroup.procs", F_OK, 0) < 0)
		return -ENOENT;
	*ret = (struct cgroup_usage){
		.memory = number(g, "memory.current"),
		.memory_peak = number(g, "memory.peak"),
		.swap = number(g, "memory.swap.current"),
		.pids = number(g, "pids.current"),
		.cpu_micros = field(g, "cpu.stat", "usage_usec"),
		.user_micros = field(g, "cpu.stat", "user_usec"),
		.system_micros = field(g, "cpu.stat", "system_usec"),
		.read_bytes = sum(g, "io.stat", "rbytes"),
		.written_bytes = sum(g, "io.stat", "wbytes"),
		.oom_kills = field(g, "memory.events", "oom_kill"),
		.pids_refused = field(g, "pids.events", "max"),
	};
	return 0;
}

int cgroup_memory_events(const struct cgroup *g)
{
	return g ? g->memory_events : -1;
}

int cgroup_pids_events(const struct cgroup *g)
{
	return g ? g->pids_events : -1;
}

/* Read through the descriptor that is polled: that is what ends its POLLPRI. */
static bool happened(int fd, const char *key)
{
	char text[512];
	ssize_t n = fd < 0 ? -1 : pread(fd, text, sizeof(text) - 1, 0);
	uint64_t value;

	if (n < 0)
		return false;
	text[n] = '\0';
	value = cgroup_field(text, key);
	return value != 0 && value != CGROUP_UNLIMITED;
}

const char *cgroup_reason(struct cgroup *g)
{
	bool oom = g && happened(g->memory_events, "oom_kill");
	bool pids = g && happened(g->pids_events, "max");

	return oom ? "oom" : pids ? "pids" : NULL;
}
