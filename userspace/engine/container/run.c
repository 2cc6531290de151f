// SPDX-License-Identifier: GPL-2.0-or-later
/* A container's life, as its supervisor leads it: recorded, run, recorded again. */
#include "engine/container/container-priv.h"

#include "prim/err.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

struct life {
	struct supervised *c;
	struct detached *detached;
	struct log_file logs[2];
	struct cgroup *cgroup;
	struct door *door;
	int door_log, door_counts;
	pid_t init;
	struct sandbox_alarm alarms[2];
	struct sandbox sandbox;
};

/* A process is there, but its walls are not: until they stand nobody is told of it. */
static int set_born(void *data, pid_t pid, int pidfd, struct diag *d)
{
	struct life *life = data;
	const struct sandbox *s = &life->c->spec->sandbox;
	int r = 0;

	life->init = pid;
	(void)fault_point("born");
	if (life->door)
		r = door_born(life->door, pidfd, d);
	return r == 0 && s->born ? s->born(s->born_data, pid, pidfd, d) : r;
}

/* A record that cannot be written (a full disk) leaves the container "created": it can be ended then, and
 * nothing else. */
static void set_started(void *data)
{
	struct life *life = data;
	struct container_record *rec = &life->c->rec;

	/* It has ended when it is not there: then its end is what comes next. */
	if (process_start(life->init, &rec->init_start) == 0) {
		rec->init = life->init;
		rec->status = CONTAINER_RUNNING;
		rec->started_ms = clock_ms(CLOCK_REALTIME);
		container_save(life->c);
	}
	(void)fault_point("started");
	if (life->detached)
		detach_tell(TAKE_PTR(life->detached), 0, NULL);
}

static void write_logs(void *data, int fd, const void *bytes, size_t n)
{
	struct life *life = data;

	log_append(&life->logs[fd - 1], bytes, n);
}

static int open_logs(struct life *life, struct diag *d)
{
	static const char *const names[] = { "stdout.log", "stderr.log" };
	uint64_t max = life->c->spec->log_max;

	for (int i = 0; i < 2; i++) {
		struct log_file *l = &life->logs[i];

		*l = (struct log_file){ .dir = life->c->dir, .fd = -1, .name = names[i],
			.max = max ? max : CONTAINER_LOG_MAX };
		l->fd = openat(l->dir, l->name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (l->fd < 0)
			return diag_errno(d, -errno, "cannot make %s", l->name);
	}
	return 0;
}

static bool wants_cgroup(const struct container_spec *s)
{
	const struct cgroup_limits *l = &s->limits;

	return s->cgroup || l->memory || l->swap || l->pids || l->cpu_micros || l->cpu_weight || l->io_weight;
}

/* To who called, which until the command runs waits to be told. */
static void warn(void *data, const char *text)
{
	struct life *life = data;
	const struct container_spec *s = life->c->spec;

	if (life->detached)
		detach_warn(life->detached, text);
	else if (s->warn && !s->detach)
		s->warn(s->warn_data, text);
}

/* That there is going to be one is written before it is made: whoever buries us looks for it. */
static int make_cgroup(struct life *life, struct diag *d)
{
	const struct container_spec *s = life->c->spec;
	struct container_record *rec = &life->c->rec;
	struct cgroup_limits l = s->limits;
	int r;

	if (!wants_cgroup(s))
		return 0;
	rec->cgroup = "";
	r = container_save(life->c);
	if (r < 0)
		return diag_errno(d, r, "cannot record the container");
	/* What nobody asked for may be missing. */
	l.best_effort |= s->cgroup && !l.memory && !l.swap && !l.pids && !l.cpu_micros && !l.cpu_weight &&
		!l.io_weight;
	(void)fault_point("make cgroup");
	r = cgroup_make(&life->cgroup, rec->id, &l, warn, life, d);
	rec->cgroup = cgroup_path(life->cgroup);
	(void)fault_point("made cgroup");
	return r;
}

static const char *see_cgroup(void *data, bool *ret_silence)
{
	return cgroup_reason(data);
}

static void set_alarms(struct life *life, struct sandbox *s)
{
	const int fds[] = { cgroup_memory_events(life->cgroup), cgroup_pids_events(life->cgroup) };

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		life->alarms[i] = (struct sandbox_alarm){ .fd = fds[i], .events = POLLPRI,
			.rang = see_cgroup, .data = life->cgroup };
	s->alarms = life->alarms;
	s->nalarms = life->cgroup ? ARRAY_SIZE(fds) : 0;
	s->cgroup = cgroup_fd(life->cgroup);
}

static int make_sandbox(struct life *life, struct diag *d)
{
	const struct container_spec *spec = life->c->spec;
	struct sandbox *s = &life->sandbox;

	*s = spec->sandbox;
	s->born = set_born;
	s->born_data = life;
	s->started = set_started;
	s->started_data = life;
	if (spec->detach) {
		s->stdio = SANDBOX_STDIO_STREAMS;
		s->stream = write_logs;
		s->stream_data = life;
	} else if (s->limits.output_max && s->stdio == SANDBOX_STDIO_INHERIT) {
		s->stdio = SANDBOX_STDIO_STREAMS;
	}
	return spec->prepare ? spec->prepare(spec->data, s, d) : 0;
}

static int open_door(struct life *life, struct diag *d)
{
	const struct container_spec *s = life->c->spec;
	struct door_options o = { .grants = s->grants, .publish = s->publish, .npublish = s->npublish,
		.container = life->c->rec.id };
	int r;

	if (s->sandbox.net != SANDBOX_NET_DOOR)
		return 0;
	life->door_log = openat(life->c->dir, "net.log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (life->door_log < 0)
		return diag_errno(d, -errno, "cannot make net.log");
	life->door_counts = openat(life->c->dir, TRAFFIC, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (life->door_counts < 0)
		return diag_errno(d, -errno, "cannot make " TRAFFIC);
	o.log = life->door_log;
	o.counts = life->door_counts;
	(void)fault_point("open door");
	r = door_open(&life->door, &o, d);
	if (r == 0)
		life->sandbox.door = door_sandbox(life->door);
	return r;
}

/* What went through it stays in the record. */
static void close_door(struct life *life)
{
	struct container_record *rec = &life->c->rec;
	struct door_count *counts;
	size_t n = 0;

	if (!life->door)
		return;
	door_drain(life->door);
	if (!rec->remove && door_counts(life->door, &life->c->arena, &counts, &n) == 0)
		traffic_set(rec, &life->c->arena, counts, n);
	door_close(TAKE_PTR(life->door));
	fd_closep(&life->door_log);
	fd_closep(&life->door_counts);
	refusals_tell(life->c->dir, life->c->spec);
}

/* For those that wait and hold only the lock's file open: the record may be gone with the rest. */
static void leave_status(struct supervised *c)
{
	char text[16];
	int n = snprintf(text, sizeof(text), "%d\n", c->rec.exit_status);

	(void)!pwrite(c->lock, text, (size_t)n, 0);
}

static void tell_limit(struct life *life)
{
	static const struct {
		const char *reason, *text;
	} limits[] = {
		{ "time", "the container was ended: its time is over" },
		{ "output", "the container was ended: it wrote more than it may" },
		{ "oom", "the container was ended: it needs more memory than it may have" },
		{ "pids", "the container was ended: it makes more processes than it may have" },
	};
	const char *reason = life->c->rec.ended_by;

	for (size_t i = 0; reason && i < ARRAY_SIZE(limits); i++)
		if (strcmp(reason, limits[i].reason) == 0)
			warn(life, limits[i].text);
}

/* One whose end cannot be recorded (a full disk) is forgotten: removing works then too. */
static void set_ended(struct life *life, const struct sandbox_result *result)
{
	struct supervised *c = life->c;
	struct container_record *rec = &c->rec;
	const char *reason = life->cgroup ? cgroup_reason(life->cgroup) : NULL;

	rec->status = CONTAINER_EXITED;
	rec->ended_ms = clock_ms(CLOCK_REALTIME);
	rec->exit_status = sandbox_exit_status(result);
	rec->ended_by = result->ended_by ? result->ended_by : reason ? reason :
		WIFSIGNALED(result->status) ? "signal" : NULL;
	tell_limit(life);
	(void)fault_point("leave status");
	leave_status(c);
	close_door(life);
	(void)fault_point("remove cgroup");
	cgroup_remove(life->cgroup);
	cgroup_free(TAKE_PTR(life->cgroup));
	rec->cgroup = NULL;
	if (!rec->remove && container_save(c) < 0)
		rec->remove = true;
}

static int lead(struct life *life, struct diag *d)
{
	const struct container_spec *spec = life->c->spec;
	struct sandbox_result result = { 0 };
	int r = make_sandbox(life, d);

	if (r == 0)
		r = make_cgroup(life, d);
	if (r == 0)
		r = open_door(life, d);
	if (r == 0 && spec->detach)
		r = open_logs(life, d);
	/* An errno would be taken for the command's. */
	r = diag_under(d, r, -ERR_CONTAINER);
	if (r == 0) {
		set_alarms(life, &life->sandbox);
		r = sandbox_run(&life->sandbox, &result, d);
	}
	if (r == 0)
		set_ended(life, &result);
	close_door(life);
	cgroup_remove(life->cgroup);
	if (spec->done)
		spec->done(spec->data);
	if (r == 0 && spec->result)
		*spec->result = result;
	else
		buf_done(&result.output);
	return r;
}

int container_supervise(struct supervised *c, struct detached *t, int *ret_status, struct diag *d)
{
	struct life life = { .c = c, .detached = t, .door_log = -1, .door_counts = -1,
		.logs = { { .fd = -1 }, { .fd = -1 } } };
	int r = lead(&life, d);

	if (r < 0 || c->rec.remove)
		container_forget(c->all, c->place);
	if (r == 0)
		*ret_status = c->rec.exit_status;
	if (life.detached)
		detach_tell(life.detached, r, d);
	cgroup_free(life.cgroup);
	fd_closep(&life.logs[0].fd);
	fd_closep(&life.logs[1].fd);
	return r;
}

int container_run(int home_fd, struct arena *a, const struct container_spec *s, const char **ret_id,
	int *ret_status, struct diag *d)
{
	_cleanup_(container_done) struct supervised c = { .all = -1, .dir = -1, .lock = -1, .spec = s };
	int r = container_describe(&c, s);

	if (r < 0)
		return diag_under(d, diag_errno(d, r, "cannot describe the container"), -ERR_CONTAINER);
	/* One that leaves nothing need not be seen before its command runs. */
	r = container_create(&c, home_fd, s->remove && !s->name && !s->detach && !wants_cgroup(s), d);
	if (r < 0)
		return diag_under(d, r, -ERR_CONTAINER);
	*ret_id = arena_str(a, str_from(c.rec.id)).p;
	return s->detach ? detach_run(&c, ret_status, d) : container_supervise(&c, NULL, ret_status, d);
}
