// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * metadata.json. It is this program's own, in a directory of the user's that no container sees; it is
 * read as if it were not: what is missing, of another kind or out of bounds is refused by name.
 */
#include "engine/container/container-priv.h"

#include "base/json.h"
#include "prim/err.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define RECORD_VERSION 1
#define RECORD_MAX	  ((size_t)4 << 20)
#define TEXT_MAX_BYTES	  4096
#define WORDS_MAX	  4096
#define WORDS_BYTES_MAX	  ((size_t)64 << 10)

static const char *const statuses[] = { "created", "running", "paused", "exited", "lost" };

const char *container_status_name(enum container_status status)
{
	return statuses[status];
}

/* Members that are a uint64_t each. */
struct number {
	const char *key;
	size_t at;
	uint64_t max;
};

#define AT(member) offsetof(struct cgroup_limits, member)
static const struct number limits[] = {
	{ "memory", AT(memory), INT64_MAX }, { "swap", AT(swap), INT64_MAX }, { "pids", AT(pids), INT64_MAX },
	{ "cpu_micros", AT(cpu_micros), INT64_MAX }, { "cpu_weight", AT(cpu_weight), 10000 },
	{ "io_weight", AT(io_weight), 10000 },
};
#undef AT

#define AT(member) offsetof(struct sandbox_limits, member)
static const struct number rlimits[] = {
	{ "output", AT(output_max), INT64_MAX }, { "address_space", AT(address_space), INT64_MAX },
	{ "file_size", AT(file_size), INT64_MAX }, { "processes", AT(processes), INT64_MAX },
	{ "open_files", AT(open_files), INT64_MAX }, { "scratch", AT(scratch), INT64_MAX },
};
#undef AT

#define AT(member) offsetof(struct container_traffic, member)
static const struct number traffic[] = {
	{ "connections", AT(connections), INT64_MAX }, { "refused", AT(refused), INT64_MAX },
	{ "bytes_out", AT(bytes_out), INT64_MAX }, { "bytes_in", AT(bytes_in), INT64_MAX },
};
#undef AT

static uint64_t *number_of(const struct number *n, const void *object)
{
	return (uint64_t *)((uintptr_t)object + n->at);
}

/* Writing. */

static void put_text(struct json_out *o, const char *key, const char *text)
{
	if (!text)
		return;
	json_out_key(o, key);
	json_out_text(o, text);
}

static void put_int(struct json_out *o, const char *key, uint64_t v)
{
	if (v == 0)
		return;
	json_out_key(o, key);
	json_out_int(o, (int64_t)MIN(v, (uint64_t)INT64_MAX));
}

static void put_numbers(struct json_out *o, const struct number *v, size_t n, const void *object)
{
	for (size_t i = 0; i < n; i++)
		put_int(o, v[i].key, *number_of(&v[i], object));
}

static void put_flag(struct json_out *o, const char *key, bool v)
{
	if (!v)
		return;
	json_out_key(o, key);
	json_out_bool(o, v);
}

/* A command line of a megabyte is cut: the record is for people and for `exec`. */
static void put_words(struct json_out *o, const char *key, const char *const *words)
{
	size_t bytes = 0;

	if (!words)
		return;
	json_out_key(o, key);
	json_out_open(o, '[');
	for (size_t i = 0; words[i]; i++) {
		bytes += strlen(words[i]);
		if (i == WORDS_MAX - 1 || bytes > WORDS_BYTES_MAX) {
			json_out_text(o, "…");
			break;
		}
		json_out_text(o, words[i]);
	}
	json_out_close(o, ']');
}

static void put_process(struct json_out *o, const char *key, pid_t pid, uint64_t start)
{
	if (pid == 0)
		return;
	json_out_key(o, key);
	json_out_open(o, '{');
	put_int(o, "pid", (uint64_t)pid);
	put_int(o, "start", start);
	json_out_close(o, '}');
}

static void put_traffic(struct json_out *o, const struct container_record *c)
{
	if (!c->ntraffic)
		return;
	json_out_key(o, "traffic");
	json_out_open(o, '[');
	for (size_t i = 0; i < c->ntraffic; i++) {
		const struct container_traffic *t = &c->traffic[i];

		json_out_open(o, '{');
		put_text(o, "grant", t->grant);
		put_numbers(o, traffic, ARRAY_SIZE(traffic), t);
		json_out_close(o, '}');
	}
	json_out_close(o, ']');
}

static void put_limits(struct json_out *o, const struct cgroup_limits *l)
{
	json_out_key(o, "limits");
	json_out_open(o, '{');
	put_numbers(o, limits, ARRAY_SIZE(limits), l);
	put_flag(o, "best_effort", l->best_effort);
	json_out_close(o, '}');
}

/* "infinity" is what JSON's numbers here cannot say. */
static void put_rlimit_value(struct json_out *o, const char *key, uint64_t v)
{
	json_out_key(o, key);
	if (v > INT64_MAX)
		json_out_text(o, "infinity");
	else
		json_out_int(o, (int64_t)v);
}

static void put_rlimits(struct json_out *o, const struct container_record *c)
{
	if (!c->nmore)
		return;
	json_out_key(o, "rlimits");
	json_out_open(o, '[');
	for (size_t i = 0; i < c->nmore; i++) {
		json_out_open(o, '{');
		put_text(o, "name", c->more[i].name);
		json_out_key(o, "resource");
		json_out_int(o, c->more[i].resource);
		put_rlimit_value(o, "soft", c->more[i].soft);
		put_rlimit_value(o, "hard", c->more[i].hard);
		json_out_close(o, '}');
	}
	json_out_close(o, ']');
}

static void put_walls(struct json_out *o, const struct container_record *c)
{
	json_out_key(o, "walls");
	json_out_open(o, '{');
	put_text(o, "seccomp", c->seccomp);
	put_text(o, "filters", c->filters);
	put_text(o, "user", c->user);
	put_text(o, "home", c->home);
	put_text(o, "tcp_connect", c->tcp_connect);
	put_text(o, "tcp_listen", c->tcp_listen);
	put_int(o, "uid", c->uid);
	put_int(o, "gid", c->gid);
	put_int(o, "seconds", c->rlimits.seconds);
	put_numbers(o, rlimits, ARRAY_SIZE(rlimits), &c->rlimits);
	put_rlimits(o, c);
	json_out_close(o, '}');
}

static void put_oci(struct json_out *o, const struct container_oci *oci)
{
	if (!oci->version)
		return;
	json_out_key(o, "oci");
	json_out_open(o, '{');
	put_text(o, "version", oci->version);
	put_text(o, "bundle", oci->bundle);
	json_out_key(o, "annotations");
	json_out_open(o, '{');
	for (size_t i = 0; i < oci->nannotations; i++)
		put_text(o, oci->annotations[i].name, oci->annotations[i].value);
	json_out_close(o, '}');
	json_out_close(o, '}');
}

static void put_times(struct json_out *o, const struct container_record *c)
{
	put_int(o, "created_ms", (uint64_t)c->created_ms);
	put_int(o, "started_ms", (uint64_t)c->started_ms);
	put_int(o, "ended_ms", (uint64_t)c->ended_ms);
}

int record_print(struct buf *to, const struct container_record *c)
{
	struct json_out o;

	json_out_start(&o, to, false);
	json_out_open(&o, '{');
	put_int(&o, "version", RECORD_VERSION);
	put_text(&o, "id", c->id);
	put_text(&o, "name", c->name);
	put_text(&o, "profile", c->profile);
	put_text(&o, "package", c->package);
	put_text(&o, "status", statuses[c->status]);
	put_words(&o, "command", c->argv);
	put_text(&o, "root", c->root);
	put_text(&o, "cwd", c->cwd);
	put_text(&o, "hostname", c->hostname);
	put_text(&o, "net", c->net);
	put_words(&o, "grants", c->grants);
	put_words(&o, "published", c->published);
	put_words(&o, "binds", c->binds);
	put_traffic(&o, c);
	put_text(&o, "cgroup", c->cgroup);
	put_process(&o, "supervisor", c->supervisor, c->supervisor_start);
	put_process(&o, "init", c->init, c->init_start);
	put_text(&o, "boot_id", c->boot_id);
	put_times(&o, c);
	put_int(&o, "exit_status", (uint64_t)c->exit_status);
	put_text(&o, "ended_by", c->ended_by);
	put_limits(&o, &c->limits);
	put_int(&o, "stop_seconds", c->stop_seconds);
	put_flag(&o, "logs", c->logs);
	put_flag(&o, "remove", c->remove);
	put_walls(&o, c);
	put_oci(&o, &c->oci);
	put_words(&o, "environment", c->env);
	json_out_close(&o, '}');
	return json_out_end(&o);
}

static int write_to(int dir, const char *name, const struct container_record *c)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	_cleanup_fd_ int fd = -1;
	int r = record_print(&b, c);

	if (r == 0)
		r = fault_point("write record");
	if (r < 0)
		return r;
	fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	return fd < 0 ? -errno : fd_write_all(fd, b.data, b.len);
}

int record_write_staged(int dir, const struct container_record *c)
{
	return write_to(dir, RECORD, c);
}

/* Not synced: what a power failure takes ran on a machine that is no more, and a record that it cut
 * short is refused. Only the supervisor, or who buries it, writes. */
int record_write(int dir, const struct container_record *c)
{
	int r = write_to(dir, RECORD ".new", c);

	if (r == 0)
		r = fault_point("publish record");
	if (r == 0 && renameat(dir, RECORD ".new", dir, RECORD) < 0)
		r = -errno;
	return r;
}

/* Reading. */

struct reader {
	struct arena *a;
	struct diag *d;
	const char *id;
	int error;
};

static void refuse(struct reader *r, const char *key, const char *why)
{
	if (r->error)
		return;
	r->error = diag_fail(r->d, -ERR_CONTAINER, "the record of container %s is not valid: '%s' %s",
		r->id, key, why);
	diag_hint(r->d, "cratons container rm --force %s forgets it", r->id);
}

static const char *get_text(struct reader *r, struct json object, const char *key, bool needed)
{
	struct json v = json_get(object, key);
	struct str s = json_str(v);
	const char *copy;

	if (json_kind(v) == JSON_NOTHING) {
		if (needed)
			refuse(r, key, "is missing");
		return NULL;
	}
	if (!s.p || s.n > TEXT_MAX_BYTES || memchr(s.p, '\0', s.n)) {
		refuse(r, key, !s.p ? "is not a text" : "is too long or has a NUL");
		return NULL;
	}
	copy = arena_str(r->a, s).p;
	if (!copy)
		r->error = -ENOMEM;
	return copy;
}

static uint64_t get_int(struct reader *r, struct json object, const char *key, uint64_t max)
{
	struct json v = json_get(object, key);
	int64_t n = 0;

	if (json_kind(v) == JSON_NOTHING)
		return 0;
	if (json_int(v, &n) < 0 || n < 0 || (uint64_t)n > max) {
		refuse(r, key, "is not a number in its range");
		return 0;
	}
	return (uint64_t)n;
}

static void get_numbers(struct reader *r, struct json from, const struct number *v, size_t n, void *object)
{
	for (size_t i = 0; i < n; i++)
		*number_of(&v[i], object) = get_int(r, from, v[i].key, v[i].max);
}

static bool get_flag(struct reader *r, struct json object, const char *key)
{
	struct json v = json_get(object, key);

	if (json_kind(v) != JSON_NOTHING && json_kind(v) != JSON_BOOL)
		refuse(r, key, "is neither true nor false");
	return json_bool(v, false);
}

static const char *const *get_words(struct reader *r, struct json object, const char *key)
{
	struct json v = json_get(object, key);
	const char **words;
	size_t n = 0;

	if (json_kind(v) == JSON_NOTHING)
		return NULL;
	if (json_kind(v) != JSON_ARRAY) {
		refuse(r, key, "is not a list");
		return NULL;
	}
	json_foreach(i, v)
		n++;
	if (n > WORDS_MAX) {
		refuse(r, key, "is too long");
		return NULL;
	}
	words = arena_newn(r->a, const char *, n + 1);
	n = 0;
	if (!words)
		r->error = -ENOMEM;
	json_foreach(i, v) {
		struct str s = json_str(i.value);

		if (!words || !s.p || memchr(s.p, '\0', s.n)) {
			refuse(r, key, "has what is not a text");
			return NULL;
		}
		words[n] = arena_str(r->a, s).p;
		if (!words[n++])
			r->error = -ENOMEM;
	}
	return words;
}

static enum container_status get_status(struct reader *r, struct json object)
{
	struct str s = json_str(json_get(object, "status"));

	for (size_t i = 0; i < ARRAY_SIZE(statuses); i++)
		if (s.p && str_is(s, statuses[i]))
			return (enum container_status)i;
	refuse(r, "status", "is not one that is known");
	return CONTAINER_LOST;
}

static void get_process(struct reader *r, struct json object, const char *key, pid_t *pid,
	uint64_t *start)
{
	struct json v = json_get(object, key);

	*pid = (pid_t)get_int(r, v, "pid", 1 << 22);
	*start = get_int(r, v, "start", INT64_MAX);
}

static void get_traffic(struct reader *r, struct json v, struct container_record *c)
{
	size_t n = 0;

	json_foreach(i, v)
		n++;
	if (n > WORDS_MAX)
		refuse(r, "traffic", "is too long");
	if (n == 0 || r->error)
		return;
	c->traffic = arena_newn(r->a, struct container_traffic, n);
	if (!c->traffic) {
		r->error = -ENOMEM;
		return;
	}
	json_foreach(i, v) {
		struct container_traffic *t = &c->traffic[c->ntraffic++];

		t->grant = get_text(r, i.value, "grant", true);
		get_numbers(r, i.value, traffic, ARRAY_SIZE(traffic), t);
	}
}

static void get_limits(struct reader *r, struct json v, struct cgroup_limits *l)
{
	get_numbers(r, v, limits, ARRAY_SIZE(limits), l);
	l->best_effort = get_flag(r, v, "best_effort");
}

static uint64_t get_rlimit_value(struct reader *r, struct json object, const char *key)
{
	if (str_is(json_str(json_get(object, key)), "infinity"))
		return RLIM_INFINITY;
	if (json_kind(json_get(object, key)) == JSON_NOTHING)
		refuse(r, key, "is missing");
	return get_int(r, object, key, INT64_MAX);
}

static void get_rlimits(struct reader *r, struct json v, struct container_record *c)
{
	size_t n = 0;

	json_foreach(i, v)
		n++;
	if (n > RLIM_NLIMITS)
		refuse(r, "rlimits", "is too long");
	if (n == 0 || r->error)
		return;
	c->more = arena_newn(r->a, struct sandbox_rlimit, n);
	if (!c->more) {
		r->error = -ENOMEM;
		return;
	}
	json_foreach(i, v)
		c->more[c->nmore++] = (struct sandbox_rlimit){
			.resource = (int)get_int(r, i.value, "resource", RLIM_NLIMITS - 1),
			.soft = get_rlimit_value(r, i.value, "soft"),
			.hard = get_rlimit_value(r, i.value, "hard"),
			.name = get_text(r, i.value, "name", true),
		};
}

static void get_walls(struct reader *r, struct json v, struct container_record *c)
{
	c->seccomp = get_text(r, v, "seccomp", false);
	c->filters = get_text(r, v, "filters", false);
	c->user = get_text(r, v, "user", false);
	c->home = get_text(r, v, "home", false);
	c->tcp_connect = get_text(r, v, "tcp_connect", false);
	c->tcp_listen = get_text(r, v, "tcp_listen", false);
	c->uid = (uid_t)get_int(r, v, "uid", UINT32_MAX - 1);
	c->gid = (gid_t)get_int(r, v, "gid", UINT32_MAX - 1);
	c->rlimits.seconds = (unsigned)get_int(r, v, "seconds", UINT32_MAX);
	get_numbers(r, v, rlimits, ARRAY_SIZE(rlimits), &c->rlimits);
	get_rlimits(r, json_get(v, "rlimits"), c);
}

static void get_annotations(struct reader *r, struct json v, struct container_oci *oci)
{
	struct container_annotation *list;
	size_t n = 0;

	json_foreach(i, v)
		n++;
	if (n > CONTAINER_ANNOTATIONS_MAX)
		refuse(r, "annotations", "are too many");
	if (r->error)
		return;
	list = arena_newn(r->a, struct container_annotation, n + 1);
	if (!list) {
		r->error = -ENOMEM;
		return;
	}
	oci->annotations = list;
	json_foreach(i, v) {
		struct str s = json_str(i.value);

		if (!s.p || memchr(s.p, '\0', s.n) || memchr(i.key.p, '\0', i.key.n)) {
			refuse(r, "annotations", "has what is not a text");
			return;
		}
		list[oci->nannotations] = (struct container_annotation){ arena_str(r->a, i.key).p,
			arena_str(r->a, s).p };
		if (!list[oci->nannotations].name || !list[oci->nannotations].value)
			r->error = -ENOMEM;
		oci->nannotations++;
	}
}

static void get_oci(struct reader *r, struct json v, struct container_oci *oci)
{
	if (json_kind(v) == JSON_NOTHING)
		return;
	oci->version = get_text(r, v, "version", true);
	oci->bundle = get_text(r, v, "bundle", true);
	get_annotations(r, json_get(v, "annotations"), oci);
}

static void get_life(struct reader *r, struct json v, struct container_record *c)
{
	c->status = get_status(r, v);
	get_process(r, v, "supervisor", &c->supervisor, &c->supervisor_start);
	get_process(r, v, "init", &c->init, &c->init_start);
	c->boot_id = get_text(r, v, "boot_id", true);
	c->created_ms = (int64_t)get_int(r, v, "created_ms", INT64_MAX);
	c->started_ms = (int64_t)get_int(r, v, "started_ms", INT64_MAX);
	c->ended_ms = (int64_t)get_int(r, v, "ended_ms", INT64_MAX);
	c->exit_status = (int)get_int(r, v, "exit_status", 255);
	c->ended_by = get_text(r, v, "ended_by", false);
}

static void check(struct reader *r, struct json v, const struct container_record *c)
{
	int64_t version = 0;

	if (json_int(json_get(v, "version"), &version) < 0 || version != RECORD_VERSION)
		refuse(r, "version", "is not one that this program knows");
	if (c->id && strcmp(c->id, r->id) != 0)
		refuse(r, "id", "is another container's");
	if (c->name && !container_name_valid(c->name))
		refuse(r, "name", "is not a name");
	if (!c->argv || !c->argv[0])
		refuse(r, "command", "is missing");
}

int record_parse(struct arena *a, struct str text, const char *id, struct container_record *ret,
	struct diag *d)
{
	_cleanup_(json_free_p) struct json_doc *doc = NULL;
	struct reader r = { .a = a, .d = d, .id = id };
	struct container_record c = { 0 };
	struct json v;
	int error = json_parse(&doc, text, id, d);

	if (error < 0) {
		diag_context(d, "the record of container %s is not valid", id);
		diag_hint(d, "cratons container rm --force %s forgets it", id);
		return error == -ENOMEM ? error : -ERR_CONTAINER;
	}
	v = json_root(doc);
	if (json_kind(v) != JSON_OBJECT)
		refuse(&r, "{}", "is missing: it is no object");
	c.id = get_text(&r, v, "id", true);
	c.name = get_text(&r, v, "name", false);
	c.profile = get_text(&r, v, "profile", true);
	c.package = get_text(&r, v, "package", false);
	c.root = get_text(&r, v, "root", false);
	c.cwd = get_text(&r, v, "cwd", false);
	c.hostname = get_text(&r, v, "hostname", false);
	c.net = get_text(&r, v, "net", true);
	c.cgroup = get_text(&r, v, "cgroup", false);
	c.argv = get_words(&r, v, "command");
	c.env = get_words(&r, v, "environment");
	c.grants = get_words(&r, v, "grants");
	c.published = get_words(&r, v, "published");
	c.binds = get_words(&r, v, "binds");
	get_traffic(&r, json_get(v, "traffic"), &c);
	c.stop_seconds = (unsigned)get_int(&r, v, "stop_seconds", UINT32_MAX);
	c.logs = get_flag(&r, v, "logs");
	c.remove = get_flag(&r, v, "remove");
	get_life(&r, v, &c);
	get_limits(&r, json_get(v, "limits"), &c.limits);
	get_walls(&r, json_get(v, "walls"), &c);
	get_oci(&r, json_get(v, "oci"), &c.oci);
	check(&r, v, &c);
	if (r.error < 0)
		return r.error;
	*ret = c;
	return 0;
}

int own_file_read(int dir, const char *name, struct buf *ret, size_t max)
{
	_cleanup_fd_ int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	return S_ISREG(st.st_mode) ? fd_slurp(fd, ret, max) : -EINVAL;
}

int record_read(int dir, struct arena *a, const char *place, struct container_record *ret, struct diag *d)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	const char *id = arena_str(a, str_slice(str_from(place), 0, CONTAINER_ID_HEX)).p;
	struct container_record c;
	char wanted[PLACE_SIZE];
	int r = id ? own_file_read(dir, RECORD, &text, RECORD_MAX) : -ENOMEM;

	if (r == -ENOENT)
		return r;
	if (r < 0)
		return diag_fail(d, -ERR_CONTAINER, "cannot read the record of container %s: %s", id,
			err_sentence(r));
	r = record_parse(a, buf_str(&text), id, &c, d);
	if (r < 0)
		return r;
	container_place(wanted, c.id, c.name);
	if (strcmp(wanted, place) != 0) {
		diag_fail(d, -ERR_CONTAINER, "the record of container %s is not valid: 'name' is another's", id);
		return diag_hint(d, "cratons container rm --force %s forgets it", id);
	}
	c.place = arena_str(a, str_from(place)).p;
	if (!c.place)
		return -ENOMEM;
	*ret = c;
	return 0;
}
