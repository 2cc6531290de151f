// SPDX-License-Identifier: GPL-2.0-or-later
/* The directories of containers: made, found, and cleaned of what a killed process left. */
#include "engine/container/container-priv.h"

#include "prim/err.h"
#include "prim/hash.h"
#include "prim/vec.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <poll.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/pidfd.h>
#include <sys/random.h>
#include <sys/stat.h>

#define BURY_MS 5000	/* for the kernel to end what was sent SIGKILL */

int containers_open(int home_fd, struct diag *d)
{
	int fd = openat(home_fd, CONTAINERS_DIR, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT) {
		if (mkdirat(home_fd, CONTAINERS_DIR, 0700) < 0 && errno != EEXIST)
			return diag_errno(d, -errno, "cannot make " CONTAINERS_DIR);
		fd = openat(home_fd, CONTAINERS_DIR, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	}
	return fd < 0 ? diag_errno(d, -errno, "cannot open " CONTAINERS_DIR) : fd;
}

static int open_lock(int dir, int how)
{
	_cleanup_fd_ int fd = openat(dir, LOCK, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	int r;

	if (fd < 0)
		return -errno;
	do {
		r = flock(fd, how);
	} while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : TAKE_FD(fd);
}

int containers_lock(int all, int how)
{
	return open_lock(all, how);
}

/* Only a supervisor takes it exclusively, before anyone can see it, and never again: asking for a shared
 * one disturbs nobody. */
bool container_is_held(int dir)
{
	_cleanup_fd_ int fd = openat(dir, LOCK, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	return fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;
}

int container_open_dir(int all, const char *place)
{
	int fd = openat(all, place, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int container_forget(int all, const char *place)
{
	_cleanup_fd_ int dir = container_open_dir(all, place);

	if (dir < 0)
		return dir == -ENOENT ? 0 : dir;
	(void)fault_point("remove record");
	if (unlinkat(dir, RECORD, 0) < 0 && errno != ENOENT)
		return -errno;
	/* Those that were run in the foreground have nothing else. */
	(void)fault_point("remove lock");
	if (unlinkat(dir, LOCK, 0) < 0 && errno != ENOENT)
		return -errno;
	(void)fault_point("remove directory");
	return unlinkat(all, place, AT_REMOVEDIR) == 0 || errno == ENOENT ? 0 : remove_all(all, place);
}

/* Burying. */

static bool has_ended(enum container_status status)
{
	return status == CONTAINER_EXITED || status == CONTAINER_LOST;
}

static void end_process(pid_t pid, uint64_t start)
{
	_cleanup_fd_ int fd = process_open(pid, start);
	struct pollfd p = { fd, POLLIN };

	if (fd < 0 || pidfd_send_signal(fd, SIGKILL, NULL, 0) < 0)
		return;
	poll(&p, 1, BURY_MS);
}

/* Of another boot there are no processes left, and no cgroups. */
static bool of_this_boot(const struct container_record *c)
{
	char now[37];

	return process_boot_id(now) == 0 && strcmp(now, c->boot_id) == 0;
}

/* What is in it goes with it: a supervisor's own is never there. */
static void remove_cgroup(const struct container_record *c)
{
	_cleanup_(cgroup_free_p) struct cgroup *g = NULL;
	int r = c->cgroup[0] ? cgroup_open(&g, c->cgroup, NULL) : cgroup_find(&g, c->id, NULL);

	if (r < 0 || !str_ends(str_from(cgroup_path(g)), str_from(c->id)))
		return;
	cgroup_kill(g);
	(void)fault_point("bury cgroup");
	cgroup_remove(g);
}

int container_bury(int all, int dir, struct container_record *c)
{
	int r;

	/* One at a time: whoever comes second finds it done. */
	do {
		r = flock(dir, LOCK_EX);
	} while (r < 0 && errno == EINTR);
	(void)fault_point("bury");
	if (of_this_boot(c)) {
		end_process(c->init, c->init_start);
		if (c->cgroup)
			remove_cgroup(c);
	}
	if (c->remove)
		return container_forget(all, c->place);
	c->cgroup = NULL;
	if (!has_ended(c->status)) {
		c->status = CONTAINER_LOST;
		c->exit_status = 128 + SIGKILL;
		c->ended_ms = clock_ms(CLOCK_REALTIME);
	}
	return record_write(dir, c);
}

/* The record does not say so: only its supervisor writes that. */
static void see_paused(struct container_record *c)
{
	_cleanup_(cgroup_free_p) struct cgroup *g = NULL;
	bool frozen = false;

	if (cgroup_open(&g, c->cgroup, NULL) == 0 && cgroup_frozen(g, &frozen) == 0 && frozen)
		c->status = CONTAINER_PAUSED;
}

int container_look(int all, const char *place, struct arena *a, struct container_record *ret, struct diag *d)
{
	_cleanup_fd_ int dir = container_open_dir(all, place);
	bool held;
	int r;

	if (dir < 0)
		return dir;
	/* Its lock before its record: one that ends meanwhile has written its end before it lets go. */
	held = container_is_held(dir);
	r = record_read(dir, a, place, ret, d);
	if (r == -ENOENT && !held)
		container_forget(all, place);
	if (r < 0)
		return r;
	traffic_read(dir, a, ret);
	if (!held && (!has_ended(ret->status) || ret->cgroup))
		r = container_bury(all, dir, ret);
	else if (held && ret->status == CONTAINER_RUNNING && ret->cgroup)
		see_paused(ret);
	return r < 0 ? diag_errno(d, r, "cannot clean container %s", ret->id) :
		!held && ret->remove ? -ENOENT : 0;
}

/* What was being made when its maker was killed: under this lock, that is all whose own is not held. */
static void sweep(int all, DIR *dir)
{
	_cleanup_fd_ int lock = containers_lock(all, LOCK_EX | LOCK_NB);
	struct dirent *e;

	rewinddir(dir);
	while (lock >= 0 && (e = readdir(dir))) {
		_cleanup_fd_ int staged = -1;

		if (!str_starts(str_from(e->d_name), STR(STAGING)))
			continue;
		staged = container_open_dir(all, e->d_name);
		if (staged >= 0 && !container_is_held(staged))
			remove_all(all, e->d_name);
	}
}

static void closedirp(DIR **d)
{
	if (*d)
		closedir(*d);
}

typedef VEC(struct container_record) records;

static int collect(int all, struct arena *a, records *list,
	void (*bad)(void *data, const char *id, const char *why), void *data)
{
	int copy = openat(all, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_(closedirp) DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	bool staged = false;
	struct dirent *e;
	int r = dir ? 0 : -errno;

	while (r == 0 && (e = readdir(dir))) {
		_cleanup_diag_ struct diag d = DIAG_INIT;
		struct container_record c;
		const char *name;
		struct str id;

		staged |= str_starts(str_from(e->d_name), STR(STAGING));
		if (!container_place_parse(e->d_name, &id, &name))
			continue;
		r = container_look(all, e->d_name, a, &c, &d);
		if (r == 0)
			r = vec_push(list, c);
		else if (r != -ENOENT && r != -ENOMEM && bad)
			bad(data, arena_str(a, id).p, buf_text(&d.what));
		r = r == -ENOMEM ? r : 0;
	}
	if (staged)
		sweep(all, dir);
	return r;
}

static int newest_first(const void *a, const void *b)
{
	const struct container_record *x = a, *y = b;

	if (x->created_ms != y->created_ms)
		return x->created_ms < y->created_ms ? 1 : -1;
	return strcmp(x->id, y->id);
}

int container_list(int home_fd, struct arena *a, struct container_record **ret, size_t *ret_n,
	void (*bad)(void *data, const char *id, const char *why), void *data, struct diag *d)
{
	_cleanup_fd_ int all = containers_open(home_fd, d);
	records list = { 0 };
	int r = all < 0 ? all : collect(all, a, &list, bad, data);

	if (r == 0) {
		*ret = arena_newn(a, struct container_record, list.n + 1);
		r = *ret ? 0 : -ENOMEM;
	}
	if (r == 0 && list.n) {
		qsort(list.v, list.n, sizeof(*list.v), newest_first);
		memcpy(*ret, list.v, list.n * sizeof(*list.v));
	}
	if (r == 0)
		*ret_n = list.n;
	vec_done(&list);
	return r < 0 && all >= 0 ? diag_errno(d, r, "cannot list the containers") : r;
}

/* Making. */

static int check_count(int all, struct diag *d)
{
	struct stat st;

	/* File systems that count no subdirectories (btrfs) say 1. */
	if (fstat(all, &st) < 0 || st.st_nlink < CONTAINERS_MAX + 2)
		return 0;
	diag_fail(d, -ERR_LIMIT, "there are %d containers already", CONTAINERS_MAX);
	return diag_hint(d, "cratons container rm forgets those that have ended");
}

static int make_id(struct supervised *c)
{
	uint8_t random[CONTAINER_ID_HEX / 2];
	char id[CONTAINER_ID_HEX + 1];

	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return -errno;
	hex_encode(id, random, sizeof(random));
	c->rec.id = arena_str(&c->arena, str_from(id)).p;
	return c->rec.id ? 0 : -ENOMEM;
}

static int stage(struct supervised *c, bool late)
{
	int r = fault_point("stage container");

	if (r < 0)
		return r;
	snprintf(c->place, sizeof(c->place), STAGING "%s", c->rec.id);
	if (mkdirat(c->all, c->place, 0700) < 0)
		return -errno;
	c->staged = true;
	c->dir = container_open_dir(c->all, c->place);
	if (c->dir < 0)
		return c->dir;
	(void)fault_point("lock container");
	c->lock = open_lock(c->dir, LOCK_EX | LOCK_NB);
	r = c->lock < 0 ? c->lock : filters_save(c);
	return r < 0 || late ? r : record_write_staged(c->dir, &c->rec);
}

static int publish(struct supervised *c)
{
	char place[PLACE_SIZE];
	int r = fault_point("publish container");

	container_place(place, c->rec.id, c->rec.name);
	if (r == 0 && renameat(c->all, c->place, c->all, place) < 0)
		r = -errno;
	if (r < 0)
		return r;
	c->staged = false;
	memcpy(c->place, place, sizeof(c->place));
	return 0;
}

int container_save(struct supervised *c)
{
	int r = c->staged ? record_write_staged(c->dir, &c->rec) : record_write(c->dir, &c->rec);

	return r < 0 || !c->staged ? r : publish(c);
}

int container_create(struct supervised *c, int home_fd, bool late, struct diag *d)
{
	_cleanup_fd_ int lock = -1;
	int r;

	c->all = containers_open(home_fd, d);
	if (c->all < 0)
		return c->all;
	lock = containers_lock(c->all, c->rec.name ? LOCK_EX : LOCK_SH);
	if (lock < 0)
		return diag_errno(d, lock, "cannot lock " CONTAINERS_DIR);
	/* Under the exclusive lock: who comes second finds the first one's. */
	r = c->rec.name ? container_check_name(c->all, c->rec.name, d) : 0;
	if (r == 0)
		r = check_count(c->all, d);
	if (r < 0)
		return r;
	r = make_id(c);
	if (r == 0)
		r = stage(c, late);
	if (r == 0 && !late)
		r = publish(c);
	if (r < 0 && c->staged)
		remove_all(c->all, c->place);
	return r < 0 ? diag_errno(d, r, "cannot record the container") : 0;
}

void container_done(struct supervised *c)
{
	fd_closep(&c->lock);
	fd_closep(&c->dir);
	fd_closep(&c->all);
	arena_done(&c->arena);
}
