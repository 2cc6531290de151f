// SPDX-License-Identifier: GPL-2.0-or-later
/* config-linux.md: namespaces, ids, devices, paths that are covered or sealed. */
#include "engine/oci/oci-priv.h"

#include <unistd.h>

/* All but the network are always new; those that `needed` are a refusal if the bundle wants the host's. */
static const struct {
	const char *type;
	bool needed;
} kinds[] = {
	{ "mount", true }, { "pid", true }, { "ipc", true }, { "uts" }, { "user" }, { "cgroup" },
	{ "network" }, { "time" },
};
enum { NETWORK = 6, TIME = 7, KINDS = 8 };

static int see_namespace(struct oci *o, struct json v, const char *at, bool *seen)
{
	const char *type;
	int r = oci_text(o, v, at, "type", &type);

	if (r == 0)
		r = oci_unsupported(o, v, at, "path", "a namespace that is there cannot be joined");
	if (r < 0)
		return r;
	for (size_t i = 0; type && i < KINDS; i++)
		if (strcmp(kinds[i].type, type) == 0) {
			if (seen[i])
				return oci_refuse(o, at, "is given twice");
			seen[i] = true;
			return 0;
		}
	return oci_refuse(o, oci_below(o, at, "type"), "is no namespace of Linux");
}

static int set_namespaces(struct oci *o, struct json list)
{
	bool seen[KINDS] = { 0 };
	int r = oci_kind(o, list, JSON_ARRAY, "linux.namespaces");
	struct sandbox *s = &o->spec->sandbox;
	size_t n = 0;

	json_foreach(i, list)
		if (r == 0)
			r = see_namespace(o, i.value, oci_at(o, "linux.namespaces", n++), seen);
	for (size_t i = 0; i < KINDS && r == 0; i++)
		if (kinds[i].needed && !seen[i])
			r = diag_fail(o->d, -ERR_CONTAINER, "config.json: linux.namespaces: the host's %s "
				"namespace is not shared", kinds[i].type);
	if (r == 0 && !seen[NETWORK] && s->net != SANDBOX_NET_HOST) {
		oci_refuse(o, "linux.namespaces", "without a network namespace it would have the host's "
			"network");
		return diag_hint(o->d, "if that is meant: --net host");
	}
	s->time_ns = seen[TIME];
	return r;
}

/* One id can be mapped without a helper: the caller's. */
static int check_mapping(struct oci *o, struct json list, const char *field, uint64_t inside,
	uint64_t outside)
{
	uint64_t from = 0, to = 0, size = 0;
	struct json first = { 0 };
	size_t n = 0;
	int r = oci_kind(o, list, JSON_ARRAY, field);

	json_foreach(i, list)
		if (n++ == 0)
			first = i.value;
	if (r < 0 || n == 0)
		return r;
	r = oci_number(o, first, field, "containerID", &from);
	if (r == 0)
		r = oci_number(o, first, field, "hostID", &to);
	if (r == 0)
		r = oci_number(o, first, field, "size", &size);
	if (r < 0)
		return r;
	if (n > 1 || size != 1)
		return oci_refuse(o, field, "without privilege one id can be mapped, the caller's");
	if (to != outside)
		return oci_refuse(o, field, "the host's id is not the caller's");
	return from == inside ? 0 : oci_refuse(o, field, "maps another id than that of process.user");
}

/* What every container has: the host's nodes, whoever owns them, for everybody to read and write. */
static const struct device {
	const char *path;
	int64_t major, minor;
} devices[] = { { "/dev/null", 1, 3 }, { "/dev/zero", 1, 5 }, { "/dev/full", 1, 7 }, { "/dev/random", 1, 8 },
	{ "/dev/urandom", 1, 9 }, { "/dev/tty", 5, 0 }, { "/dev/ptmx", 5, 2 } };

static bool is_device(struct json v, const struct device *d)
{
	int64_t major, minor;

	return str_is(json_str(json_get(v, "type")), "c") && json_int(json_get(v, "major"), &major) == 0 &&
		json_int(json_get(v, "minor"), &minor) == 0 && major == d->major && minor == d->minor;
}

bool oci_has_device(struct json v)
{
	for (size_t k = 0; k < ARRAY_SIZE(devices); k++)
		if (is_device(v, &devices[k]))
			return true;
	return false;
}

static int check_device(struct oci *o, struct json v, const char *at)
{
	uint64_t mode = 0666;
	int r = oci_number(o, v, at, "fileMode", &mode);

	if (r < 0)
		return r;
	for (size_t k = 0; k < ARRAY_SIZE(devices); k++)
		if (str_is(json_str(json_get(v, "path")), devices[k].path) && is_device(v, &devices[k]))
			return (mode & 0777) == 0666 ? 0 :
				oci_refuse(o, oci_below(o, at, "fileMode"), "is always 0666 here");
	return oci_refuse(o, at, "device nodes cannot be made");
}

static int check_devices(struct oci *o, struct json list)
{
	int r = oci_kind(o, list, JSON_ARRAY, "linux.devices");
	size_t n = 0;

	json_foreach(i, list)
		if (r == 0)
			r = check_device(o, i.value, oci_at(o, "linux.devices", n++));
	return r;
}

static int add_paths(struct oci *o, struct json list, const char *field, enum sandbox_bind_kind kind)
{
	const char *const *paths;
	size_t n;
	int r = oci_texts(o, list, field, &paths, &n);

	for (size_t i = 0; r == 0 && i < n; i++)
		r = paths[i][0] != '/' ? oci_refuse(o, oci_at(o, field, i), "is not an absolute path") :
			vec_push(&o->binds, (struct sandbox_bind){ kind, .target = paths[i] });
	return r;
}

/* Nobody inside can mount, so that nothing is propagated, and no place can be bound elsewhere. */
static int check_propagation(struct oci *o, struct json v)
{
	static const char *const so[] = { "private", "rprivate", "slave", "rslave", "unbindable", "runbindable" };

	for (size_t i = 0; i < ARRAY_SIZE(so); i++)
		if (str_is(json_str(v), so[i]))
			return 0;
	return oci_says_nothing(v) ? 0 : oci_refuse(o, "linux.rootfsPropagation", "mounts inside stay inside");
}

/* "No flag values are supported" (config-linux.md): the usual domain is what there is. */
static int check_personality(struct oci *o, struct json v)
{
	int r = oci_kind(o, v, JSON_OBJECT, "linux.personality");

	if (r == 0)
		r = oci_unsupported(o, v, "linux.personality", "flags", "are not set here");
	if (r < 0 || json_kind(v) == JSON_NOTHING || str_is(json_str(json_get(v, "domain")), "LINUX"))
		return r;
	return oci_refuse(o, "linux.personality.domain", "is always LINUX here");
}

int oci_linux(struct oci *o, struct json l)
{
	static const struct {
		const char *name, *why;
	} not[] = { { "sysctl", "switches of the kernel are not set from a container" },
		{ "mountLabel", "labels are the administrator's to give" },
		{ "intelRdt", "is the administrator's to give" },
		{ "timeOffsets", "clocks begin with the container" },
		{ "netDevices", "no device of the host's goes in" },
		{ "memoryPolicy", "is always the usual one here" } };
	const struct sandbox *s = &o->spec->sandbox;
	int r = oci_kind(o, l, JSON_OBJECT, "linux");

	for (size_t i = 0; i < ARRAY_SIZE(not) && r == 0; i++)
		r = oci_unsupported(o, l, "linux", not[i].name, not[i].why);
	if (r == 0)
		r = set_namespaces(o, json_get(l, "namespaces"));
	if (r == 0)
		r = check_mapping(o, json_get(l, "uidMappings"), "linux.uidMappings", s->uid, geteuid());
	if (r == 0)
		r = check_mapping(o, json_get(l, "gidMappings"), "linux.gidMappings", s->gid, getegid());
	if (r == 0)
		r = check_devices(o, json_get(l, "devices"));
	if (r == 0)
		r = oci_seccomp(o, json_get(l, "seccomp"));
	if (r == 0)
		r = check_personality(o, json_get(l, "personality"));
	if (r == 0)
		r = check_propagation(o, json_get(l, "rootfsPropagation"));
	if (r == 0)
		r = add_paths(o, json_get(l, "maskedPaths"), "linux.maskedPaths", SANDBOX_BIND_MASK);
	if (r == 0)
		r = add_paths(o, json_get(l, "readonlyPaths"), "linux.readonlyPaths", SANDBOX_BIND_SEAL);
	if (r == 0 && !oci_says_nothing(json_get(l, "cgroupsPath")))
		oci_warn(o, "linux.cgroupsPath", "it is put where this user may make cgroups");
	return r == 0 ? oci_resources(o, json_get(l, "resources")) : r;
}
