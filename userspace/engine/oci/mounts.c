// SPDX-License-Identifier: GPL-2.0-or-later
/* config.md, "Mounts". What every container has anyway (/proc, /dev, /dev/pts) is not mounted again. */
#include "engine/oci/oci-priv.h"

#include "engine/cgroup/cgroup.h"

#include <errno.h>

struct entry {
	const char *at;		/* "mounts[3]" */
	const char *type, *source, *target;
	const char *const *options;
	size_t noptions;
};

/* Those that change nothing here: binds are private, without set-id bits and devices, and whatever is
 * bound comes along with what is mounted below. */
static bool is_so_anyway(const char *option)
{
	static const char *const names[] = { "bind", "rbind", "nosuid", "nodev", "private", "rprivate",
		"slave", "rslave", "unbindable", "runbindable", "rw", "rrw", "exec", "rexec", "async", "defaults",
		"rnosuid", "rnodev", "silent", "loud", "relatime", "norelatime", "strictatime", "nostrictatime",
		"noatime", "atime", "diratime", "nodiratime", "lazytime", "nolazytime", "rrelatime",
		"rnorelatime", "rstrictatime", "rnostrictatime", "rnoatime", "ratime", "rdiratime",
		"rnodiratime", "iversion", "noiversion", "nomand", "symfollow", "rsymfollow" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(names[i], option) == 0)
			return true;
	return false;
}

static bool has(const struct entry *e, const char *option)
{
	for (size_t i = 0; i < e->noptions; i++)
		if (strcmp(e->options[i], option) == 0)
			return true;
	return false;
}

static bool is_read_only(const struct entry *e)
{
	return has(e, "ro") || has(e, "rro");
}

static int refuse_option(struct oci *o, const struct entry *e, size_t i)
{
	return oci_refuse(o, oci_at(o, oci_below(o, e->at, "options"), i), "cannot be had here");
}

static int add(struct oci *o, struct sandbox_bind b)
{
	return vec_push(&o->binds, b) < 0 ? diag_fail(o->d, -ENOMEM, "out of memory") : 0;
}

static int add_bind(struct oci *o, const struct entry *e)
{
	struct sandbox_bind b = { is_read_only(e) ? SANDBOX_BIND_RO : SANDBOX_BIND_RW, e->source, e->target };

	if (!e->source)
		return oci_refuse(o, oci_below(o, e->at, "source"), "is missing");
	for (size_t i = 0; i < e->noptions; i++) {
		const char *option = e->options[i];
		bool no_exec = strcmp(option, "noexec") == 0 || strcmp(option, "rnoexec") == 0;

		b.no_exec |= no_exec;
		if (!is_so_anyway(option) && !no_exec && strcmp(option, "ro") != 0 && strcmp(option, "rro") != 0)
			return refuse_option(o, e, i);
	}
	if (b.source[0] != '/')
		b.source = arena_fmt(o->arena, "%s/%s", o->bundle, b.source).p;
	return b.source ? add(o, b) : -ENOMEM;
}

static int parse_mode(const char *text, mode_t *ret)
{
	mode_t mode = 0;

	for (; *text; text++) {
		if (*text < '0' || *text > '7' || mode > 0777)
			return -EINVAL;
		mode = mode << 3 | (mode_t)(*text - '0');
	}
	*ret = mode;
	return mode <= 01777 ? 0 : -EINVAL;
}

static int add_tmpfs(struct oci *o, const struct entry *e)
{
	struct sandbox_bind b = { SANDBOX_BIND_TMPFS, .target = e->target };

	for (size_t i = 0; i < e->noptions; i++) {
		const char *option = e->options[i];
		bool ok = is_so_anyway(option);

		if (strcmp(option, "noexec") == 0)
			b.no_exec = ok = true;
		else if (strncmp(option, "size=", 5) == 0)
			ok = cgroup_parse_size(option + 5, &b.size) == 0;
		else if (strncmp(option, "mode=", 5) == 0)
			ok = parse_mode(option + 5, &b.mode) == 0;
		if (!ok)
			return refuse_option(o, e, i);
	}
	return add(o, b);
}

/* One that every container has, as it has it: of other options of its file system nothing would be seen. */
static int check_there(struct oci *o, const struct entry *e)
{
	static const char *const so[] = { "ro", "noexec", "newinstance", "ptmxmode=", "mode=", "gid=", "size=" };

	for (size_t i = 0; i < e->noptions; i++) {
		bool ok = is_so_anyway(e->options[i]);

		for (size_t k = 0; k < ARRAY_SIZE(so); k++)
			ok |= str_ends(str_from(so[k]), STR("=")) ?
				str_starts(str_from(e->options[i]), str_from(so[k])) :
				strcmp(e->options[i], so[k]) == 0;
		if (!ok)
			return refuse_option(o, e, i);
	}
	return 0;
}

/* What is empty here though a bundle nearly always asks for it. */
static int add_empty(struct oci *o, const struct entry *e)
{
	oci_warn(o, e->at, "is left empty: what it tells is the host's");
	return strcmp(e->target, "/sys") == 0 ? add(o, (struct sandbox_bind){ SANDBOX_BIND_TMPFS,
		.target = e->target, .size = 4096, .mode = 0555 }) : 0;
}

static int add_typed(struct oci *o, const struct entry *e)
{
	static const struct {
		const char *type, *target;
	} there[] = { { "proc", "/proc" }, { "tmpfs", "/dev" }, { "devpts", "/dev/pts" } };
	const char *type = e->type ? e->type : "none";

	for (size_t i = 0; i < ARRAY_SIZE(there); i++)
		if (strcmp(type, there[i].type) == 0 && strcmp(e->target, there[i].target) == 0)
			return check_there(o, e);
	if (strcmp(type, "bind") == 0 || has(e, "bind") || has(e, "rbind"))
		return add_bind(o, e);
	if (strcmp(type, "tmpfs") == 0)
		return add_tmpfs(o, e);
	if (strcmp(type, "mqueue") == 0) {
		int r = check_there(o, e);

		return r < 0 ? r : add(o, (struct sandbox_bind){ SANDBOX_BIND_MQUEUE, .target = e->target });
	}
	if (strcmp(type, "sysfs") == 0 || strcmp(type, "cgroup") == 0 || strcmp(type, "cgroup2") == 0)
		return add_empty(o, e);
	return oci_refuse(o, oci_below(o, e->at, "type"), "cannot be mounted here");
}

/* /dev and below /proc are ours; what is above them would cover them. */
static int check_target(struct oci *o, const struct entry *e)
{
	const char *field = oci_below(o, e->at, "destination");

	if (!e->target || e->target[0] != '/')
		return oci_refuse(o, field, "is not an absolute path");
	if (strstr(e->target, "/../") || (strlen(e->target) > 2 &&
			strcmp(e->target + strlen(e->target) - 3, "/..") == 0))
		return oci_refuse(o, field, "has .. in it");
	if (!e->target[1] || strncmp(e->target, "/proc/", 6) == 0)
		return oci_refuse(o, field, "is not for a bundle to mount on");
	return 0;
}

static int add_mount(struct oci *o, struct json v, const char *at)
{
	struct entry e = { .at = at };
	int r = oci_kind(o, v, JSON_OBJECT, at);

	if (r == 0)
		r = oci_text(o, v, at, "destination", &e.target);
	if (r == 0)
		r = oci_text(o, v, at, "type", &e.type);
	if (r == 0)
		r = oci_text(o, v, at, "source", &e.source);
	if (r == 0)
		r = oci_texts(o, json_get(v, "options"), oci_below(o, at, "options"), &e.options,
			&e.noptions);
	if (r == 0)
		r = oci_unsupported(o, v, at, "uidMappings", "ids of a mount take privilege");
	if (r == 0)
		r = oci_unsupported(o, v, at, "gidMappings", "ids of a mount take privilege");
	if (r == 0)
		r = check_target(o, &e);
	return r == 0 ? add_typed(o, &e) : r;
}

int oci_mounts(struct oci *o, struct json list)
{
	int r = oci_kind(o, list, JSON_ARRAY, "mounts");
	size_t n = 0;

	json_foreach(i, list)
		if (r == 0)
			r = add_mount(o, i.value, oci_at(o, "mounts", n++));
	return r;
}
