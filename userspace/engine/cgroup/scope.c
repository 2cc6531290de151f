// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A place from the user's systemd: a transient scope that is delegated (org.freedesktop.systemd1(5)).
 * It is this process that moves into it, not the container: an ordinary user may only start something
 * in a cgroup when the two have a common parent that is the user's, which a login session's scope and
 * the user manager have not. The container's limits stand in a cgroup below the scope, not on the
 * scope, so that they are not this process's too: it has to live when memory or processes run out.
 */
#include "engine/cgroup/cgroup-priv.h"
#include "engine/cgroup/systemd-load.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <time.h>

#define BUS_USEC	((uint64_t)10 * 1000 * 1000)
#define SYSTEMD		"org.freedesktop.systemd1", "/org/freedesktop/systemd1"
#define MANAGER		"org.freedesktop.systemd1.Manager"

struct manager {
	const struct systemd_api *api;
	sd_bus *bus;
};

static void manager_done(struct manager *m)
{
	if (m->bus)
		m->api->flush_close_unref(m->bus);
}

/* The variables of a session may be missing (su, cron, a service): logind's place is the same. */
static int bus_address(struct buf *ret)
{
	const char *address = getenv("DBUS_SESSION_BUS_ADDRESS"), *run = getenv("XDG_RUNTIME_DIR");

	if (address && *address)
		return buf_adds(ret, address);
	return run && *run == '/' ? buf_addf(ret, "unix:path=%s/bus", run) :
		buf_addf(ret, "unix:path=/run/user/%u/bus", geteuid());
}

static int manager_open(struct manager *m, struct diag *d)
{
	_cleanup_buf_ struct buf address = BUF_INIT;
	int r = systemd_load(&m->api, d);

	if (r == 0)
		r = bus_address(&address);
	if (r < 0)
		return r;
	if ((r = m->api->new(&m->bus)) >= 0 && (r = m->api->set_address(m->bus, address.data)) >= 0 &&
		(r = m->api->set_bus_client(m->bus, 1)) >= 0 &&
		(r = m->api->set_method_call_timeout(m->bus, BUS_USEC)) >= 0)
		r = m->api->start(m->bus);
	if (r >= 0)
		return 0;
	diag_fail(d, r, "the user's systemd cannot be reached (%s: %s)", address.data, strerror(-r));
	return diag_hint(d, "loginctl enable-linger, and install dbus-user-session");
}

/* The job that was asked for, and how it ended. */
struct job {
	const struct manager *m;
	const char *path;
	bool ended, done;
};

static int job_removed(sd_bus_message *message, void *data, sd_bus_error *error)
{
	struct job *job = data;
	const char *path, *unit, *result;
	uint32_t number;

	if (job->path && job->m->api->message_read(message, "uoss", &number, &path, &unit, &result) >= 0 &&
		strcmp(path, job->path) == 0) {
		job->ended = true;
		job->done = strcmp(result, "done") == 0;
	}
	return 0;
}

static uint64_t now_usec(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static int wait_for(struct job *job)
{
	uint64_t end = now_usec() + BUS_USEC, now;
	int r;

	while (!job->ended) {
		r = job->m->api->process(job->m->bus, NULL);
		if (r > 0)
			continue;
		now = now_usec();
		if (r == 0 && now >= end)
			return -ETIMEDOUT;
		if (r == 0)
			r = job->m->api->wait(job->m->bus, end - now);
		if (r < 0 && r != -EINTR)
			return r;
	}
	return job->done ? 0 : -ECANCELED;
}

static int failed(const struct manager *m, sd_bus_error *e, int r, struct diag *d)
{
	r = diag_fail(d, r, "the user's systemd refused: %s", e->message ? e->message : strerror(-r));
	m->api->error_free(e);
	return r;
}

static int start_scope(const struct manager *m, const char *unit, const char *id, struct diag *d)
{
	struct job job = { .m = m };
	sd_bus_error e = SD_BUS_ERROR_NULL;
	sd_bus_message *reply = NULL;
	sd_bus_slot *slot = NULL;
	char text[128];
	int r = m->api->match_signal(m->bus, &slot, SYSTEMD, MANAGER, "JobRemoved", job_removed, &job);

	snprintf(text, sizeof(text), "Cratons container %.64s", id);
	if (r >= 0)
		r = m->api->call_method(m->bus, SYSTEMD, MANAGER, "StartTransientUnit", &e, &reply,
			"ssa(sv)a(sa(sv))", unit, "fail", 5, "Description", "s", text,
			"PIDs", "au", 1, (uint32_t)getpid(), "Delegate", "b", 1,
			"TasksMax", "t", UINT64_MAX, "CollectMode", "s", "inactive-or-failed", 0);
	if (r >= 0)
		r = m->api->message_read(reply, "o", &job.path);
	if (r >= 0)
		r = wait_for(&job);
	r = r < 0 ? failed(m, &e, r, d) : 0;
	m->api->message_unref(reply);
	m->api->slot_unref(slot);
	return r;
}

int cgroup_scope_enter(const char *id, struct diag *d)
{
	_cleanup_(manager_done) struct manager m = { 0 };
	char unit[128];
	int r = manager_open(&m, d);

	/* The pid, as a container of this id may have had a scope that is not gone yet. */
	snprintf(unit, sizeof(unit), "cratons-%.64s-%d.scope", id, (int)getpid());
	return r < 0 ? r : start_scope(&m, unit, id, d);
}

/* The unit of a path ".../cratons-<id>-<pid>.scope/cratons/<id>", or nothing when it is another. */
static struct str scope_of(struct str path)
{
	struct str unit = { 0 };

	while (path.p) {
		struct str part = str_cut(&path, '/');

		if (str_ends(part, STR(".scope")) && str_starts(part, STR(CGROUP_OURS "-")))
			unit = part;
	}
	return unit;
}

static int attach(const char *unit, struct diag *d)
{
	_cleanup_(manager_done) struct manager m = { 0 };
	sd_bus_error e = SD_BUS_ERROR_NULL;
	int r = manager_open(&m, d);

	if (r < 0)
		return r;
	r = m.api->call_method(m.bus, SYSTEMD, MANAGER, "AttachProcessesToUnit", &e, NULL, "ssau", unit,
		"/" CGROUP_SUPERVISOR, 1, (uint32_t)getpid());
	return r < 0 ? failed(&m, &e, r, d) : 0;
}

int cgroup_reach(const struct cgroup *g, struct diag *d)
{
	_cleanup_buf_ struct buf own = BUF_INIT;
	_cleanup_free_ char *unit = NULL;
	struct str scope = g ? scope_of(buf_str(&g->path)) : (struct str){ 0 };
	int r = scope.n && geteuid() != 0 ? file_slurp(AT_FDCWD, "/proc/self/cgroup", &own, CGROUP_FILE_MAX) : 0;

	if (r < 0 || !own.len)
		return r;
	unit = str_dup(scope);
	if (!unit)
		return -ENOMEM;
	return strstr(own.data, unit) ? 0 : attach(unit, d);
}

int cgroup_scope_probe(struct buf *ret_cgroup, struct diag *d)
{
	_cleanup_(manager_done) struct manager m = { 0 };
	sd_bus_error e = SD_BUS_ERROR_NULL;
	_cleanup_free_ char *path = NULL;
	int r = manager_open(&m, d);

	if (r < 0)
		return r;
	r = m.api->get_property_string(m.bus, SYSTEMD, MANAGER, "ControlGroup", &e, &path);
	return r < 0 ? failed(&m, &e, r, d) : buf_adds(ret_cgroup, path);
}
