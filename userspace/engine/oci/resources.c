// SPDX-License-Identifier: GPL-2.0-or-later
/* config-linux.md, "Control groups", in terms of cgroup v2. */
#include "engine/oci/oci-priv.h"

/* A limit of the specification's: -1 is none. */
static int limit(struct oci *o, struct json object, const char *field, const char *name, uint64_t *ret)
{
	int64_t n;

	if (json_int(json_get(object, name), &n) == 0 && n == -1)
		return 0;
	return oci_number(o, object, field, name, ret);
}

static int refuse_all(struct oci *o, struct json object, const char *field, const char *const *names)
{
	int r = 0;

	for (; *names && r == 0; names++)
		r = oci_unsupported(o, object, field, *names, "cannot be had without privilege");
	return r;
}

/* `swap` counts memory as well. */
static int set_memory(struct oci *o, struct json m)
{
	static const char *const limits[] = { "reservation", "kernel", "kernelTCP" },
		*const not[] = { "disableOOMKiller", NULL };
	struct cgroup_limits *l = &o->spec->limits;
	uint64_t both = 0, other = 0;
	int r = limit(o, m, "linux.resources.memory", "limit", &l->memory);

	if (r == 0)
		r = limit(o, m, "linux.resources.memory", "swap", &both);
	for (size_t i = 0; i < ARRAY_SIZE(limits) && r == 0; i++) {
		r = limit(o, m, "linux.resources.memory", limits[i], &other);
		if (r == 0 && other)
			r = oci_refuse(o, oci_below(o, "linux.resources.memory", limits[i]),
				"cannot be had without privilege");
	}
	if (r == 0 && json_kind(json_get(m, "swappiness")) > JSON_NULL)
		r = oci_refuse(o, "linux.resources.memory.swappiness", "is the host's");
	if (r == 0)
		r = refuse_all(o, m, "linux.resources.memory", not);
	if (r == 0 && both && both < l->memory)
		r = oci_refuse(o, "linux.resources.memory.swap", "is less than the memory it counts in");
	if (r == 0 && both)
		l->swap = both - l->memory;
	return r;
}

/* Shares are of 2 to 262144, weights of 1 to 10000: the mapping that the specification's runtimes use. */
static uint64_t weight_of_shares(uint64_t shares)
{
	shares = MIN(MAX(shares, 2), 262144);
	return 1 + (shares - 2) * 9999 / 262142;
}

static int set_cpu(struct oci *o, struct json c)
{
	static const char *const not[] = { "realtimeRuntime", "realtimePeriod", "cpus", "mems", "idle",
		"burst", NULL };
	struct cgroup_limits *l = &o->spec->limits;
	uint64_t shares = 0, quota = 0, period = 100000;
	int r = oci_number(o, c, "linux.resources.cpu", "shares", &shares);

	if (r == 0)
		r = limit(o, c, "linux.resources.cpu", "quota", &quota);
	if (r == 0)
		r = oci_number(o, c, "linux.resources.cpu", "period", &period);
	if (r == 0)
		r = refuse_all(o, c, "linux.resources.cpu", not);
	if (r < 0)
		return r;
	if (period < 1000 || period > 1000000 || quota > UINT32_MAX * (uint64_t)1000)
		return oci_refuse(o, "linux.resources.cpu", "its period or quota is out of range");
	if (shares)
		l->cpu_weight = weight_of_shares(shares);
	if (quota)
		l->cpu_micros = quota * 1000000 / period;
	return 0;
}

static int set_io(struct oci *o, struct json b)
{
	static const char *const not[] = { "leafWeight", "weightDevice", "throttleReadBpsDevice",
		"throttleWriteBpsDevice", "throttleReadIOPSDevice", "throttleWriteIOPSDevice", NULL };
	uint64_t weight = 0;
	int r = oci_number(o, b, "linux.resources.blockIO", "weight", &weight);

	if (r == 0)
		r = refuse_all(o, b, "linux.resources.blockIO", not);
	if (r == 0 && weight > 10000)
		r = oci_refuse(o, "linux.resources.blockIO.weight", "is out of range");
	if (r == 0 && weight)
		o->spec->limits.io_weight = weight;
	return r;
}

/* Devices that are not there need no rule that forbids them; those that are there are allowed, whatever rule
 * does not want them. */
static int check_devices(struct oci *o, struct json list)
{
	int r = oci_kind(o, list, JSON_ARRAY, "linux.resources.devices");
	size_t n = 0;

	json_foreach(i, list) {
		if (r == 0)
			r = oci_kind(o, json_get(i.value, "allow"), JSON_BOOL,
				oci_below(o, oci_at(o, "linux.resources.devices", n), "allow"));
		if (r == 0 && json_bool(json_get(i.value, "allow"), false) && !oci_has_device(i.value))
			r = oci_refuse(o, oci_at(o, "linux.resources.devices", n), "no further device can be "
				"given");
		n++;
	}
	return r;
}

int oci_resources(struct oci *o, struct json r)
{
	static const char *const not[] = { "hugepageLimits", "network", "rdma", "unified", NULL },
		*const objects[] = { "memory", "cpu", "blockIO", "pids" };
	int e = oci_kind(o, r, JSON_OBJECT, "linux.resources");

	for (size_t i = 0; i < ARRAY_SIZE(objects) && e == 0; i++)
		e = oci_kind(o, json_get(r, objects[i]), JSON_OBJECT,
			oci_below(o, "linux.resources", objects[i]));
	if (e == 0)
		e = set_memory(o, json_get(r, "memory"));
	if (e == 0)
		e = set_cpu(o, json_get(r, "cpu"));
	if (e == 0)
		e = set_io(o, json_get(r, "blockIO"));
	if (e == 0)
		e = limit(o, json_get(r, "pids"), "linux.resources.pids", "limit", &o->spec->limits.pids);
	if (e == 0)
		e = check_devices(o, json_get(r, "devices"));
	return e == 0 ? refuse_all(o, r, "linux.resources", not) : e;
}
