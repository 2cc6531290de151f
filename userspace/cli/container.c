// SPDX-License-Identifier: GPL-2.0-or-later
#include "container.h"

#include <errno.h>

int container_named(struct cmd *c, struct arena *a, const char *which, struct container_record *ret)
{
	int home = cmd_home(c);

	return home < 0 ? home : container_find(home, a, which, ret, &c->diag);
}

const char *container_shown(const struct container_record *k)
{
	return k->name ? k->name : k->id;
}

int container_outcome(struct cmd *c, int r, int status)
{
	if (r != -ENOENT && r != -EACCES && r != -ENOEXEC)
		return r < 0 ? r : status;
	cmd_print_error(c);
	return r == -ENOENT ? 127 : 126;
}

const char *container_plain(struct arena *a, const char *text)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	int r = buf_adds(&b, text);

	buf_disarm(&b, 0, "");
	return r < 0 ? "?" : arena_str(a, buf_str(&b)).p;
}

/* A cut leaves no half of a character, which has at most four bytes. */
static void cut_to(struct buf *b, size_t width)
{
	if (!width || b->len <= width)
		return;
	for (int i = 0; i < 3 && width && ((unsigned char)b->data[width] & 0xc0) == 0x80; i++)
		width--;
	b->len = width;
	b->data[width] = '\0';
}

const char *container_command_line(struct arena *a, const struct container_record *k, size_t width)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	int r = 0;

	for (size_t i = 0; k->argv[i] && r == 0 && (!width || b.len < width); i++) {
		if (i)
			r = buf_addc(&b, ' ');
		if (r == 0)
			r = buf_adds(&b, k->argv[i]);
	}
	buf_disarm(&b, 0, "");
	cut_to(&b, width);
	return r < 0 ? "?" : arena_str(a, buf_str(&b)).p;
}

static void put_text(struct cmd *c, const char *key, const char *text)
{
	json_out_key(&c->json, key);
	json_out_text(&c->json, text);
}

static void put_int(struct cmd *c, const char *key, int64_t v)
{
	json_out_key(&c->json, key);
	json_out_int(&c->json, v);
}

/* Limits and times that are 0 are none. */
static void put_some(struct cmd *c, const char *key, uint64_t v)
{
	json_out_key(&c->json, key);
	if (v)
		json_out_int(&c->json, (int64_t)v);
	else
		json_out_null(&c->json);
}

static void put_list(struct cmd *c, const char *key, const char *const *words, bool names)
{
	json_out_key(&c->json, key);
	if (!words) {
		json_out_null(&c->json);
		return;
	}
	json_out_open(&c->json, '[');
	for (; *words; words++)
		json_out_str(&c->json, names ? str_of(*words, strcspn(*words, "=")) : str_from(*words));
	json_out_close(&c->json, ']');
}

void container_traffic_json(struct cmd *c, const struct container_record *k)
{
	json_out_key(&c->json, "traffic");
	json_out_open(&c->json, '[');
	for (size_t i = 0; i < k->ntraffic; i++) {
		json_out_open(&c->json, '{');
		put_text(c, "grant", k->traffic[i].grant);
		put_int(c, "connections", (int64_t)k->traffic[i].connections);
		put_int(c, "refused", (int64_t)k->traffic[i].refused);
		put_int(c, "bytes_out", (int64_t)k->traffic[i].bytes_out);
		put_int(c, "bytes_in", (int64_t)k->traffic[i].bytes_in);
		json_out_close(&c->json, '}');
	}
	json_out_close(&c->json, ']');
}

static void put_limits(struct cmd *c, const struct container_record *k)
{
	json_out_key(&c->json, "limits");
	json_out_open(&c->json, '{');
	put_some(c, "memory", k->limits.memory);
	put_some(c, "swap", k->limits.swap);
	put_some(c, "pids", k->limits.pids);
	put_some(c, "cpu_micros", k->limits.cpu_micros);
	put_some(c, "seconds", k->rlimits.seconds);
	put_some(c, "output", k->rlimits.output_max);
	json_out_close(&c->json, '}');
}

/* The state that the specification of bundles describes (runtime-spec, runtime.md, "State"). */
static void put_oci(struct cmd *c, const struct container_record *k)
{
	static const char *const statuses[] = { [CONTAINER_CREATED] = "created", [CONTAINER_RUNNING] = "running",
		[CONTAINER_PAUSED] = "paused", [CONTAINER_EXITED] = "stopped", [CONTAINER_LOST] = "stopped" };

	json_out_key(&c->json, "oci");
	if (!k->oci.version) {
		json_out_null(&c->json);
		return;
	}
	json_out_open(&c->json, '{');
	put_text(c, "ociVersion", k->oci.version);
	put_text(c, "id", k->id);
	put_text(c, "status", statuses[k->status]);
	if (k->status == CONTAINER_RUNNING || k->status == CONTAINER_PAUSED)
		put_int(c, "pid", k->init);
	put_text(c, "bundle", k->oci.bundle);
	json_out_key(&c->json, "annotations");
	json_out_open(&c->json, '{');
	for (size_t i = 0; i < k->oci.nannotations; i++)
		put_text(c, k->oci.annotations[i].name, k->oci.annotations[i].value);
	json_out_close(&c->json, '}');
	json_out_close(&c->json, '}');
}

/* The values of variables may be secrets: only their names are told. */
void container_json(struct cmd *c, const struct container_record *k)
{
	bool ended = k->status == CONTAINER_EXITED || k->status == CONTAINER_LOST;

	json_out_open(&c->json, '{');
	put_text(c, "id", k->id);
	put_text(c, "name", k->name);
	put_text(c, "profile", k->profile);
	put_text(c, "package", k->package);
	put_text(c, "status", container_status_name(k->status));
	put_list(c, "command", k->argv, false);
	put_text(c, "root", k->root);
	put_text(c, "cwd", k->cwd);
	put_text(c, "hostname", k->hostname);
	put_text(c, "net", k->net);
	put_list(c, "grants", k->grants, false);
	put_list(c, "published", k->published, false);
	put_list(c, "binds", k->binds, false);
	container_traffic_json(c, k);
	put_text(c, "seccomp", k->seccomp);
	put_text(c, "seccomp_filters", k->filters);
	put_text(c, "tcp_connect", k->tcp_connect);
	put_text(c, "tcp_listen", k->tcp_listen);
	put_int(c, "uid", k->uid);
	put_int(c, "gid", k->gid);
	put_list(c, "environment", k->env, true);
	put_text(c, "cgroup", k->cgroup);
	put_some(c, "supervisor", ended ? 0 : (uint64_t)k->supervisor);
	put_some(c, "pid", ended ? 0 : (uint64_t)k->init);
	put_some(c, "created_ms", (uint64_t)k->created_ms);
	put_some(c, "started_ms", (uint64_t)k->started_ms);
	put_some(c, "ended_ms", (uint64_t)k->ended_ms);
	json_out_key(&c->json, "exit_status");
	if (ended)
		json_out_int(&c->json, k->exit_status);
	else
		json_out_null(&c->json);
	put_text(c, "ended_by", k->ended_by);
	put_limits(c, k);
	put_oci(c, k);
	json_out_key(&c->json, "logs");
	json_out_bool(&c->json, k->logs);
	json_out_close(&c->json, '}');
}
