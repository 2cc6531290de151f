// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/oci/oci-priv.h"

#include "base/fd.h"
#include "engine/sandbox/rootfs.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#define VERSION_MAX 64

int oci_refuse(struct oci *o, const char *field, const char *why)
{
	return diag_fail(o->d, -ERR_CONTAINER, "config.json: %s: %s", field, why);
}

void oci_warn(struct oci *o, const char *field, const char *why)
{
	struct str text = arena_fmt(o->arena, "config.json: %s: %s", field, why);

	if (o->spec->warn && text.p)
		o->spec->warn(o->spec->warn_data, text.p);
}

const char *oci_at(struct oci *o, const char *field, size_t i)
{
	const char *text = arena_fmt(o->arena, "%s[%zu]", field, i).p;

	return text ? text : "";
}

const char *oci_below(struct oci *o, const char *field, const char *name)
{
	const char *text = *field ? arena_fmt(o->arena, "%s.%s", field, name).p : name;

	return text ? text : "";
}

int oci_kind(struct oci *o, struct json v, enum json_kind kind, const char *field)
{
	static const char *const wanted[] = { [JSON_BOOL] = "is not true or false",
		[JSON_NUMBER] = "is not a number", [JSON_STRING] = "is not a string",
		[JSON_ARRAY] = "is not a list", [JSON_OBJECT] = "is not an object" };

	if (json_kind(v) == JSON_NOTHING || json_kind(v) == kind)
		return 0;
	return oci_refuse(o, field, wanted[kind]);
}

static int copy_text(struct oci *o, struct json v, const char *field, const char **ret)
{
	struct str s = json_str(v);

	if (!s.p)
		return oci_refuse(o, field, "is not a string");
	if (memchr(s.p, '\0', s.n))
		return oci_refuse(o, field, "has a NUL in it");
	*ret = arena_str(o->arena, s).p;
	return *ret ? 0 : diag_fail(o->d, -ENOMEM, "out of memory");
}

int oci_text(struct oci *o, struct json object, const char *field, const char *name, const char **ret)
{
	struct json v = json_get(object, name);

	*ret = NULL;
	return json_kind(v) == JSON_NOTHING ? 0 : copy_text(o, v, oci_below(o, field, name), ret);
}

int oci_number(struct oci *o, struct json object, const char *field, const char *name, uint64_t *ret)
{
	struct json v = json_get(object, name);
	int64_t n;

	if (json_kind(v) == JSON_NOTHING)
		return 0;
	if (json_int(v, &n) < 0 || n < 0)
		return oci_refuse(o, oci_below(o, field, name), "is not a whole number of 0 or more");
	*ret = (uint64_t)n;
	return 0;
}

bool oci_says_nothing(struct json v)
{
	int64_t n;

	switch (json_kind(v)) {
	case JSON_NOTHING:
	case JSON_NULL:
		return true;
	case JSON_BOOL:
		return !json_bool(v, true);
	case JSON_NUMBER:
		return json_int(v, &n) == 0 && n == 0;
	case JSON_STRING:
		return json_str(v).n == 0;
	case JSON_ARRAY:
	case JSON_OBJECT:
		json_foreach(i, v)
			return false;
		return true;
	}
	return false;
}

int oci_unsupported(struct oci *o, struct json object, const char *field, const char *name,
	const char *why)
{
	return oci_says_nothing(json_get(object, name)) ? 0 :
		oci_refuse(o, oci_below(o, field, name), why);
}

int oci_texts(struct oci *o, struct json list, const char *field, const char *const **ret, size_t *ret_n)
{
	const char **texts;
	size_t n = 0;
	int r = oci_kind(o, list, JSON_ARRAY, field);

	if (r < 0)
		return r;
	json_foreach(i, list)
		n++;
	texts = arena_newn(o->arena, const char *, n + 1);
	if (!texts)
		return diag_fail(o->d, -ENOMEM, "out of memory");
	n = 0;
	json_foreach(i, list) {
		r = copy_text(o, i.value, oci_at(o, field, n), &texts[n]);
		if (r < 0)
			return r;
		n++;
	}
	*ret = texts;
	*ret_n = n;
	return 0;
}

static int check_version(struct oci *o, struct json root)
{
	const char *version;
	int r = oci_text(o, root, "", "ociVersion", &version);

	if (r < 0)
		return r;
	if (!version)
		return oci_refuse(o, "ociVersion", "is missing");
	if (strncmp(version, "1.", 2) != 0)
		return oci_refuse(o, "ociVersion", "is not version 1 of the specification");
	if (strlen(version) > VERSION_MAX)
		return oci_refuse(o, "ociVersion", "is too long");
	o->spec->oci.version = version;
	o->spec->oci.bundle = o->bundle;
	return 0;
}

static int set_root(struct oci *o, struct json root)
{
	struct sandbox_root *to = &o->spec->sandbox.root;
	const char *path, *real;
	int r = oci_kind(o, root, JSON_OBJECT, "root");

	if (r == 0)
		r = oci_text(o, root, "root", "path", &path);
	if (r == 0)
		r = oci_kind(o, json_get(root, "readonly"), JSON_BOOL, "root.readonly");
	if (r < 0)
		return r;
	if (!path || !*path)
		return oci_refuse(o, "root.path", "is missing");
	if (path[0] != '/')
		path = arena_fmt(o->arena, "%s/%s", o->bundle, path).p;
	r = path ? rootfs_check(o->arena, path, o->apart, &real, o->d) : -ENOMEM;
	if (r < 0)
		return diag_context(o->d, "config.json: root.path");
	to->kind = SANDBOX_ROOT_DIR;
	to->path = real;
	to->layer = json_bool(json_get(root, "readonly"), false) ? SANDBOX_LAYER_NONE :
		SANDBOX_LAYER_DIRECT;
	to->bare = true;
	o->spec->root = real;
	return 0;
}

static int set_user(struct oci *o, struct json user)
{
	uint64_t uid = 0, gid = 0, mask = 022;
	int r = oci_kind(o, user, JSON_OBJECT, "process.user");

	if (r == 0)
		r = oci_number(o, user, "process.user", "uid", &uid);
	if (r == 0)
		r = oci_number(o, user, "process.user", "gid", &gid);
	if (r == 0)
		r = oci_number(o, user, "process.user", "umask", &mask);
	if (r == 0)
		r = oci_unsupported(o, user, "process.user", "additionalGids",
			"further groups take privilege");
	if (r == 0)
		r = oci_unsupported(o, user, "process.user", "username", "is for Windows");
	if (r < 0)
		return r;
	if (uid >= UINT32_MAX || gid >= UINT32_MAX)
		return oci_refuse(o, uid >= UINT32_MAX ? "process.user.uid" : "process.user.gid",
			"is out of range");
	if (mask != 022)
		return oci_refuse(o, "process.user.umask", "is always 022 here");
	o->spec->sandbox.uid = (uid_t)uid;
	o->spec->sandbox.gid = (gid_t)gid;
	return 0;
}

static int limit_number(const char *name, int *ret)
{
	static const struct {
		const char *name;
		int resource;
	} known[] = { { "RLIMIT_AS", RLIMIT_AS }, { "RLIMIT_CORE", RLIMIT_CORE },
		{ "RLIMIT_CPU", RLIMIT_CPU }, { "RLIMIT_DATA", RLIMIT_DATA },
		{ "RLIMIT_FSIZE", RLIMIT_FSIZE }, { "RLIMIT_LOCKS", RLIMIT_LOCKS },
		{ "RLIMIT_MEMLOCK", RLIMIT_MEMLOCK }, { "RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE },
		{ "RLIMIT_NICE", RLIMIT_NICE }, { "RLIMIT_NOFILE", RLIMIT_NOFILE },
		{ "RLIMIT_NPROC", RLIMIT_NPROC }, { "RLIMIT_RSS", RLIMIT_RSS },
		{ "RLIMIT_RTPRIO", RLIMIT_RTPRIO }, { "RLIMIT_RTTIME", RLIMIT_RTTIME },
		{ "RLIMIT_SIGPENDING", RLIMIT_SIGPENDING }, { "RLIMIT_STACK", RLIMIT_STACK } };

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (strcmp(known[i].name, name) == 0) {
			*ret = known[i].resource;
			return 0;
		}
	return -EINVAL;
}

/* The specification has the largest number of 64 bits for no limit, as the kernel has. */
static int limit_value(struct oci *o, struct json object, const char *at, const char *name, uint64_t *ret)
{
	struct json v = json_get(object, name);

	if (json_kind(v) == JSON_NOTHING)
		return oci_refuse(o, oci_below(o, at, name), "is missing");
	return json_u64(v, ret) == 0 ? 0 :
		oci_refuse(o, oci_below(o, at, name), "is not a whole number of 0 or more");
}

static int add_rlimit(struct oci *o, struct json v, const char *at)
{
	struct sandbox_rlimit l = { 0 };
	int r = oci_text(o, v, at, "type", &l.name);

	if (r < 0)
		return r;
	if (!l.name || limit_number(l.name, &l.resource) < 0)
		return oci_refuse(o, oci_below(o, at, "type"), "is no resource limit of Linux");
	vec_foreach(other, &o->rlimits)
		if (other->resource == l.resource)
			return oci_refuse(o, oci_below(o, at, "type"), "is given twice");
	r = limit_value(o, v, at, "soft", &l.soft);
	if (r == 0)
		r = limit_value(o, v, at, "hard", &l.hard);
	if (r == 0 && l.soft > l.hard)
		r = oci_refuse(o, oci_below(o, at, "soft"), "is above the hard limit");
	return r < 0 ? r : vec_push(&o->rlimits, l);
}

static int set_rlimits(struct oci *o, struct json list)
{
	int r = oci_kind(o, list, JSON_ARRAY, "process.rlimits");
	size_t n = 0;

	json_foreach(i, list)
		if (r == 0)
			r = add_rlimit(o, i.value, oci_at(o, "process.rlimits", n++));
	return r;
}

/* "Any value which cannot be granted MUST be logged as a warning" (config.md, capabilities). */
static void warn_capabilities(struct oci *o, struct json sets)
{
	json_foreach(i, sets)
		if (!oci_says_nothing(i.value)) {
			oci_warn(o, "process.capabilities", "none is given: programs run without");
			return;
		}
}

/* It has a terminal where the caller has one, of the same size. */
static int check_terminal(struct oci *o, struct json p)
{
	int r = oci_kind(o, json_get(p, "terminal"), JSON_BOOL, "process.terminal");

	if (r < 0 || !json_bool(json_get(p, "terminal"), false))
		return r;
	if (o->spec->detach || (!isatty(0) && !isatty(1) && !isatty(2)))
		oci_warn(o, "process.terminal", "there is none here that it could have");
	else if (!oci_says_nothing(json_get(p, "consoleSize")))
		oci_warn(o, "process.consoleSize", "it is that of the caller's terminal");
	return 0;
}

static int set_process(struct oci *o, struct json p)
{
	static const struct {
		const char *name, *why;
	} not[] = { { "apparmorProfile", "profiles are the administrator's to give" },
		{ "selinuxLabel", "labels are the administrator's to give" },
		{ "oomScoreAdj", "is always as usual here" },
		{ "scheduler", "is always the usual one here" },
		{ "ioPriority", "is always the usual one here" },
		{ "execCPUAffinity", "is not limited here" },
		{ "commandLine", "is for Windows" } };
	struct sandbox *s = &o->spec->sandbox;
	size_t nargs = 0, nenv;
	int r = oci_kind(o, p, JSON_OBJECT, "process");

	if (r == 0 && json_kind(p) == JSON_NOTHING)
		r = oci_refuse(o, "process", "is missing");
	if (r == 0)
		r = oci_texts(o, json_get(p, "args"), "process.args", &s->argv, &nargs);
	if (r == 0 && (nargs == 0 || !*s->argv[0]))
		r = oci_refuse(o, "process.args", "names no program");
	if (r == 0)
		r = oci_texts(o, json_get(p, "env"), "process.env", &s->env, &nenv);
	for (size_t i = 0; r == 0 && s->env[i]; i++)
		if (!strchr(s->env[i], '=') || s->env[i][0] == '=')
			r = oci_refuse(o, oci_at(o, "process.env", i), "is not NAME=VALUE");
	if (r == 0)
		r = oci_text(o, p, "process", "cwd", &s->cwd);
	if (r == 0 && (!s->cwd || s->cwd[0] != '/'))
		r = oci_refuse(o, "process.cwd", "is not an absolute path");
	if (r == 0)
		r = set_user(o, json_get(p, "user"));
	if (r == 0)
		r = set_rlimits(o, json_get(p, "rlimits"));
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(not); i++)
		r = oci_unsupported(o, p, "process", not[i].name, not[i].why);
	if (r == 0)
		r = check_terminal(o, p);
	if (r == 0)
		r = oci_kind(o, json_get(p, "noNewPrivileges"), JSON_BOOL, "process.noNewPrivileges");
	if (r == 0)
		r = oci_kind(o, json_get(p, "capabilities"), JSON_OBJECT, "process.capabilities");
	if (r == 0)
		warn_capabilities(o, json_get(p, "capabilities"));
	return r;
}

static int check_hooks(struct oci *o, struct json hooks)
{
	int r = oci_kind(o, hooks, JSON_OBJECT, "hooks");

	json_foreach(i, hooks)
		if (r == 0 && !oci_says_nothing(i.value))
			r = oci_refuse(o, oci_below(o, "hooks", arena_str(o->arena, i.key).p),
				"programs on the host are not run for a bundle");
	return r;
}

static int add_annotation(struct oci *o, struct json_iter *i, struct container_annotation *ret)
{
	if (i->key.n == 0)
		return oci_refuse(o, "annotations", "has an empty name");
	if (!json_str(i->value).p)
		return oci_refuse(o, "annotations", "has a value that is not a string");
	if (memchr(i->key.p, '\0', i->key.n) || memchr(json_str(i->value).p, '\0', json_str(i->value).n))
		return oci_refuse(o, "annotations", "has a NUL in it");
	ret->name = arena_str(o->arena, i->key).p;
	ret->value = arena_str(o->arena, json_str(i->value)).p;
	return ret->name && ret->value ? 0 : diag_fail(o->d, -ENOMEM, "out of memory");
}

/* For whoever asks for the container's state. */
static int set_annotations(struct oci *o, struct json all)
{
	struct container_oci *to = &o->spec->oci;
	struct container_annotation *list;
	size_t n = 0, bytes = 0;
	int r = oci_kind(o, all, JSON_OBJECT, "annotations");

	json_foreach(i, all) {
		bytes += i.key.n + json_str(i.value).n;
		n++;
	}
	if (r == 0 && (n > CONTAINER_ANNOTATIONS_MAX || bytes > CONTAINER_ANNOTATIONS_BYTES))
		r = oci_refuse(o, "annotations", "are more than 1024, or than 256 KiB");
	list = r < 0 ? NULL : arena_newn(o->arena, struct container_annotation, n + 1);
	if (!list)
		return r < 0 ? r : diag_fail(o->d, -ENOMEM, "out of memory");
	to->annotations = list;
	json_foreach(i, all) {
		r = add_annotation(o, &i, &list[to->nannotations]);
		if (r < 0)
			return r;
		to->nannotations++;
	}
	return 0;
}

static int load(struct oci *o, struct json root)
{
	static const char *const others[] = { "solaris", "windows", "vm", "zos", "freebsd" };
	struct sandbox *s = &o->spec->sandbox;
	int r = json_kind(root) == JSON_OBJECT ? check_version(o, root) :
		oci_refuse(o, "the whole", "is not an object");

	for (size_t i = 0; i < ARRAY_SIZE(others) && r == 0; i++)
		if (json_kind(json_get(root, others[i])) != JSON_NOTHING)
			r = oci_refuse(o, others[i], "this is Linux");
	if (r == 0)
		r = set_root(o, json_get(root, "root"));
	if (r == 0)
		r = set_process(o, json_get(root, "process"));
	if (r == 0)
		r = oci_text(o, root, "", "hostname", &s->hostname);
	if (r == 0)
		r = oci_text(o, root, "", "domainname", &s->domainname);
	if (r == 0)
		r = check_hooks(o, json_get(root, "hooks"));
	if (r == 0)
		r = set_annotations(o, json_get(root, "annotations"));
	if (r == 0)
		r = oci_mounts(o, json_get(root, "mounts"));
	return r == 0 ? oci_linux(o, json_get(root, "linux")) : r;
}

static int keep(struct oci *o)
{
	struct sandbox *s = &o->spec->sandbox;
	struct sandbox_bind *binds = arena_newn(o->arena, struct sandbox_bind, o->binds.n + 1);
	struct sandbox_rlimit *limits = arena_newn(o->arena, struct sandbox_rlimit, o->rlimits.n + 1);

	if (!binds || !limits)
		return diag_fail(o->d, -ENOMEM, "out of memory");
	if (o->binds.n)
		memcpy(binds, o->binds.v, o->binds.n * sizeof(*binds));
	if (o->rlimits.n)
		memcpy(limits, o->rlimits.v, o->rlimits.n * sizeof(*limits));
	s->binds = binds;
	s->nbinds = o->binds.n;
	s->rlimits = limits;
	s->nrlimits = o->rlimits.n;
	return 0;
}

int oci_load(struct arena *a, const char *bundle, const char *const *apart, struct container_spec *spec,
	struct diag *d)
{
	_cleanup_(json_free_p) struct json_doc *doc = NULL;
	_cleanup_free_ char *real = realpath(bundle, NULL);
	_cleanup_buf_ struct buf text = BUF_INIT;
	_cleanup_fd_ int dir = real ? open(real, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
	struct oci o = { a, spec, d, .apart = apart };
	int r = dir < 0 ? -errno : file_slurp(dir, "config.json", &text, OCI_CONFIG_MAX);

	if (r < 0)
		return diag_errno(d, r, "cannot read the bundle %s", bundle);
	o.bundle = arena_str(a, str_from(real)).p;
	r = o.bundle ? json_parse(&doc, buf_str(&text), "config.json", d) : -ENOMEM;
	if (r == 0)
		r = load(&o, json_root(doc));
	if (r == 0)
		r = keep(&o);
	vec_done(&o.binds);
	vec_done(&o.rlimits);
	return r;
}
