// SPDX-License-Identifier: GPL-2.0-or-later
#include "container.h"
#include "prim/err.h"

#include <inttypes.h>

const struct opt container_stats_options[] = {
	OPT_ARGS("CONTAINER", 0, OPT_ANY_NUMBER),
	OPT_END,
};

static void put(struct cmd *c, const char *key, uint64_t v)
{
	json_out_key(&c->json, key);
	if (v == CGROUP_UNLIMITED)
		json_out_null(&c->json);
	else
		json_out_int(&c->json, (int64_t)v);
}

#define NUMBER(member) { #member, offsetof(struct cgroup_usage, member) }
static const struct {
	const char *key;
	size_t at;
} numbers[] = {
	NUMBER(memory), NUMBER(memory_peak), NUMBER(swap), NUMBER(pids), NUMBER(cpu_micros),
	NUMBER(user_micros), NUMBER(system_micros), NUMBER(read_bytes), NUMBER(written_bytes),
	NUMBER(oom_kills), NUMBER(pids_refused),
};

static void print_json(struct cmd *c, const struct container_record *k, const struct cgroup_usage *u)
{
	json_out_open(&c->json, '{');
	json_out_key(&c->json, "id");
	json_out_text(&c->json, k->id);
	json_out_key(&c->json, "name");
	json_out_text(&c->json, k->name);
	put(c, "memory_limit", k->limits.memory ? k->limits.memory : CGROUP_UNLIMITED);
	put(c, "pids_limit", k->limits.pids ? k->limits.pids : CGROUP_UNLIMITED);
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		put(c, numbers[i].key, *(const uint64_t *)((const char *)u + numbers[i].at));
	container_traffic_json(c, k);
	json_out_close(&c->json, '}');
}

/* "12.3 MB", or "-" for what the host does not count. */
static const char *bytes(struct arena *a, uint64_t v)
{
	return v == CGROUP_UNLIMITED ? "-" : arena_fmt(a, "%.1f MB", (double)v / 1e6).p;
}

static const char *count(struct arena *a, uint64_t v)
{
	return v == CGROUP_UNLIMITED ? "-" : arena_fmt(a, "%" PRIu64, v).p;
}

static void print_row(struct cmd *c, struct arena *a, const struct container_record *k,
	const struct cgroup_usage *u)
{
	cmd_print(c, STYLE_BOLD "%s" STYLE_END "  %-16s  %10s  %10s  %5s  %10s  %10s  %10s\n", k->id,
		k->name ? k->name : "-", bytes(a, u->memory), bytes(a, u->memory_peak), count(a, u->pids),
		u->cpu_micros == CGROUP_UNLIMITED ? "-" :
		arena_fmt(a, "%.2f s", (double)u->cpu_micros / 1e6).p,
		bytes(a, u->read_bytes), bytes(a, u->written_bytes));
	for (size_t i = 0; i < k->ntraffic; i++) {
		const struct container_traffic *t = &k->traffic[i];

		cmd_print(c, "  %s  %" PRIu64 " connections, %" PRIu64 " refused, %s out, %s in\n", t->grant,
			t->connections, t->refused, bytes(a, t->bytes_out), bytes(a, t->bytes_in));
	}
}

/* One that has no cgroup may have a network, and that is counted too. */
static int usage_of(struct cmd *c, const struct container_record *k, struct cgroup_usage *ret)
{
	int r = container_usage(k, ret, &c->diag);

	if (r == 0 || !k->ntraffic || k->cgroup)
		return r;
	diag_reset(&c->diag);
	memset(ret, 0xff, sizeof(*ret));	/* each CGROUP_UNLIMITED */
	return 0;
}

static int show(struct cmd *c, struct arena *a, const struct container_record *k)
{
	struct cgroup_usage u;
	int r = usage_of(c, k, &u);

	if (r == 0 && c->use_json)
		print_json(c, k, &u);
	else if (r == 0)
		print_row(c, a, k, &u);
	return r;
}

/* Those that run and are counted: nobody asked for the others. */
static int show_all(struct cmd *c, struct arena *a)
{
	struct container_record *list;
	int home = cmd_home(c), r;
	size_t n;

	if (home < 0)
		return home;
	r = container_list(home, a, &list, &n, NULL, NULL, &c->diag);
	for (size_t i = 0; r == 0 && i < n; i++)
		if ((list[i].cgroup || (list[i].ntraffic && list[i].status <= CONTAINER_PAUSED)) &&
			show(c, a, &list[i]) < 0)
			diag_reset(&c->diag);
	return r;
}

int cmd_container_stats(struct cmd *c)
{
	_cleanup_arena_ struct arena a = ARENA_INIT;
	struct container_record k;
	int r = 0;

	if (c->use_json)
		json_out_open(&c->json, '[');
	else
		cmd_print(c, STYLE_DIM "%-12s  %-16s  %10s  %10s  %5s  %10s  %10s  %10s" STYLE_END "\n", "ID",
			"NAME", "MEMORY", "PEAK", "PIDS", "CPU", "READ", "WRITTEN");
	if (c->argc == 0)
		r = show_all(c, &a);
	for (int i = 0; i < c->argc && r == 0; i++) {
		r = container_named(c, &a, c->argv[i], &k);
		if (r == 0)
			r = show(c, &a, &k);
	}
	if (c->use_json)
		json_out_close(&c->json, ']');
	return r;
}
