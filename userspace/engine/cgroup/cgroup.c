// SPDX-License-Identifier: GPL-2.0-or-later
/* One container's cgroup: made, opened again, ended, frozen, removed. */
#include "engine/cgroup/cgroup-priv.h"

#include "prim/err.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>

#define ID_MAX	     64
#define DEPTH_MAX    32		/* of cgroups made inside of ours */
#define TRIES	     20		/* while another process removes what we make */
#define LOCK_TRIES   200
#define KILL_ROUNDS  100
#define EMPTY_MS     30000
#define FREEZE_MS    10000

static struct cgroup *handle_new(void)
{
	struct cgroup *g = calloc(1, sizeof(*g));

	if (g)
		g->fd = g->memory_events = g->pids_events = -1;
	return g;
}

void cgroup_free(struct cgroup *g)
{
	if (!g)
		return;
	fd_closep(&g->fd);
	fd_closep(&g->memory_events);
	fd_closep(&g->pids_events);
	buf_done(&g->path);
	buf_done(&g->moved);
	free(g);
}

int cgroup_fd(const struct cgroup *g)
{
	return g ? g->fd : -1;
}

const char *cgroup_path(const struct cgroup *g)
{
	return g ? buf_text(&g->path) : NULL;
}

static void pause_ms(long ms)
{
	nanosleep(&(struct timespec){ 0, ms * 1000000 }, NULL);
}

static bool id_ok(const char *id)
{
	size_t n = strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_");

	return n > 0 && n <= ID_MAX && id[n] == '\0';
}

/* Gives the controllers of the mask to the children. */
static int enable(const char *dir, unsigned mask)
{
	_cleanup_buf_ struct buf file = BUF_INIT, text = BUF_INIT;
	unsigned missing;
	int r = buf_addf(&file, "%s/cgroup.subtree_control", dir);

	if (r < 0)
		return r;
	missing = mask & ~cgroup_read_mask(AT_FDCWD, file.data);
	for (size_t c = 0; c < CGROUP_CONTROLLERS && r == 0; c++)
		if (missing & CGROUP_BIT(c))
			r = buf_addf(&text, "+%s ", cgroup_controller_names[c]);
	return r < 0 || !missing ? r : cgroup_write(AT_FDCWD, file.data, text.data);
}

static void disable(const char *dir, unsigned mask)
{
	_cleanup_buf_ struct buf file = BUF_INIT, text = BUF_INIT;

	for (size_t c = 0; c < CGROUP_CONTROLLERS; c++)
		if (mask & CGROUP_BIT(c))
			buf_addf(&text, "-%s ", cgroup_controller_names[c]);
	if (mask && buf_addf(&file, "%s/cgroup.subtree_control", dir) == 0)
		cgroup_write(AT_FDCWD, file.data, buf_text(&text));
}

/* The path of something below, in a buffer that is used again for the next. */
static const char *below(struct buf *b, const char *dir, const char *name)
{
	buf_reset(b);
	return buf_addf(b, "%s/%s", dir, name) < 0 ? "" : b->data;
}

static int enter(const char *dir)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	return cgroup_write(AT_FDCWD, below(&b, dir, "cgroup.procs"), "0");
}

/*
 * Held while processes step aside or back, so that of two supervisors in one place none comes back while
 * the other gives the controllers away. Strangers can hold it too: it is waited for, and then done without.
 */
static int lock_place(const char *place)
{
	_cleanup_fd_ int fd = open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = -1;

	for (int i = 0; i < LOCK_TRIES && fd >= 0 && r < 0; i++) {
		if (i)
			pause_ms(5);
		r = flock(fd, LOCK_EX | LOCK_NB);
	}
	return r < 0 ? -1 : TAKE_FD(fd);
}

/* A process alone in the place, or with its kin. */
static int step_aside(struct cgroup *g, const char *place)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	const char *dir = below(&b, place, CGROUP_SUPERVISOR);
	int r = mkdir(dir, 0755) < 0 && errno != EEXIST ? -errno : enter(dir);

	if (r == 0)
		r = cgroup_move_kin(&cgroup_host, place, dir);
	buf_reset(&g->moved);
	return r < 0 ? r : buf_adds(&g->moved, place);
}

/* The directories of the container, with `given` as controllers. */
static int make_directories(struct cgroup *g, const struct cgroup_place *p, const char *id, unsigned given,
	bool aside)
{
	const char *place = buf_text(&p->path);
	_cleanup_fd_ int lock = p->root ? -1 : lock_place(place);
	_cleanup_buf_ struct buf ours = BUF_INIT;
	int r = given && aside ? step_aside(g, place) : 0;

	if (r == 0)
		r = enable(place, given);
	if (r < 0)
		return r;
	below(&ours, place, CGROUP_OURS);
	if (mkdir(ours.data, 0755) < 0 && errno != EEXIST)
		return -errno;
	r = enable(ours.data, given);
	if (r < 0)
		return r;
	below(&g->path, ours.data, id);
	return mkdir(g->path.data, 0755) < 0 ? -errno : 0;
}

static int open_files(struct cgroup *g)
{
	g->fd = open(buf_text(&g->path), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (g->fd < 0)
		return -errno;
	g->memory_events = openat(g->fd, "memory.events", O_RDONLY | O_CLOEXEC);
	g->pids_events = openat(g->fd, "pids.events", O_RDONLY | O_CLOEXEC);
	return 0;
}

/*
 * The parents that are ours, when they are empty. Where there is a supervisors' cgroup, the place had
 * processes and so gave no controllers before: it is left like that, by the last that cleans, which need
 * not be the one that moved.
 */
static void tidy(struct cgroup *g)
{
	_cleanup_buf_ struct buf place = BUF_INIT, ours = BUF_INIT, leaf = BUF_INIT, b = BUF_INIT;
	_cleanup_fd_ int lock = -1;

	buf_adds(&place, g->path.data);
	for (int i = 0; i < 2; i++)
		*strrchr(place.data, '/') = '\0';
	/* Of the hierarchy's root, where nobody steps aside, there is no type. */
	if (access(below(&b, place.data, "cgroup.type"), F_OK) == 0)
		lock = lock_place(place.data);
	below(&leaf, place.data, CGROUP_SUPERVISOR);
	if (rmdir(below(&ours, place.data, CGROUP_OURS)) == 0 && access(leaf.data, F_OK) == 0) {
		disable(place.data, cgroup_read_mask(AT_FDCWD,
			below(&b, place.data, "cgroup.subtree_control")));
		if (g->moved.len)
			enter(place.data);
		cgroup_move_kin(&cgroup_host, leaf.data, place.data);
		buf_reset(&g->moved);
	}
	rmdir(leaf.data);
}

/*
 * Another process may remove a parent that was empty between two of our steps. The place is busy when there
 * is a process in it that was not when we looked: one of ours that came or forked meanwhile, or that was
 * moved back, as this one itself may have been. It steps aside like the others.
 */
static int make_at(struct cgroup *g, const struct cgroup_place *p, const char *id, unsigned given,
	struct diag *d)
{
	bool aside = p->self && !p->root;
	int r = -ENOENT;

	for (int i = 0; i < TRIES && (r == -ENOENT || r == -ENODEV || r == -EBUSY); i++) {
		if (i)
			pause_ms(5);
		aside |= r == -EBUSY && !p->root;
		r = make_directories(g, p, id, given, aside);
	}
	if (r == 0)
		r = open_files(g);
	if (r == -EEXIST)
		return diag_fail(d, r, "there is a cgroup of container %s already: %s", id,
			buf_text(&g->path));
	if (r < 0)
		return diag_errno(d, r == -EACCES || r == -EBUSY || r == -EROFS ? -ERR_NO_WALL : r,
			"cannot make a cgroup in %s (%s)", buf_text(&p->path), strerror(-r));
	return 0;
}

/* What is missing of `need` at the place (NULL: there is none): refused, or told. `asked` is why the
 * user's systemd was of no help. */
static int tell_missing(const struct cgroup_place *p, unsigned need, bool best_effort,
	void (*warn)(void *data, const char *text), void *data, const char *asked, struct diag *d)
{
	for (enum cgroup_controller c = 0; c < CGROUP_CONTROLLERS; c++) {
		_cleanup_buf_ struct buf why = BUF_INIT, fix = BUF_INIT, text = BUF_INIT;

		if (!(need & CGROUP_BIT(c)) || (p && p->gives & CGROUP_BIT(c)))
			continue;
		cgroup_lacks(&cgroup_host, p, c, &why, &fix);
		buf_addf(&text, "cannot limit %s: %s%s%s", cgroup_controller_names[c], buf_text(&why),
			*asked ? "; asked for one, " : "", asked);
		if (!best_effort) {
			diag_fail(d, -ERR_NO_WALL, "%s", buf_text(&text));
			return diag_hint(d, "%s; or --best-effort, to run without", buf_text(&fix));
		}
		if (warn)
			warn(data, buf_text(&text));
	}
	return 0;
}

/* Where the place that there is does not do and the user's systemd could give a better one. */
static int find_place(const char *id, unsigned need, struct cgroup_place *p, struct diag *asked)
{
	int r = cgroup_place_find(&cgroup_host, need, p);
	unsigned missing = r == 0 ? need & ~p->gives : need;

	if (!(missing & cgroup_host_has(&cgroup_host)) || geteuid() == 0 ||
		cgroup_scope_enter(id, asked) < 0)
		return r;
	cgroup_place_done(p);
	*p = (struct cgroup_place)CGROUP_PLACE_INIT;
	return cgroup_place_find(&cgroup_host, need, p);
}

/* Memory and processes are counted even where they are not limited, if that costs nobody a move. */
static unsigned to_give(const struct cgroup_place *p, unsigned need)
{
	unsigned free = CGROUP_BIT(CGROUP_MEMORY) | CGROUP_BIT(CGROUP_PIDS);

	return (need || p->root || !p->self ? need | free : 0) & p->gives;
}

int cgroup_make(struct cgroup **ret, const char *id, const struct cgroup_limits *l,
	void (*warn)(void *data, const char *text), void *data, struct diag *d)
{
	unsigned need = cgroup_limits_need(l);
	_cleanup_place_ struct cgroup_place p = CGROUP_PLACE_INIT;
	_cleanup_diag_ struct diag asked = DIAG_INIT;
	_cleanup_(cgroup_free_p) struct cgroup *g = handle_new();
	int r, found;

	if (!g)
		return -ENOMEM;
	if (!id_ok(id))
		return diag_fail(d, -EINVAL, "'%s' cannot name a cgroup", id);
	found = find_place(id, need, &p, &asked);
	r = tell_missing(found < 0 ? NULL : &p, need, l->best_effort, warn, data, buf_text(&asked.what), d);
	if (r < 0)
		return r;
	if (found < 0) {
		*ret = NULL;
		return l->best_effort ? 0 : diag_fail(d, -ERR_NO_WALL,
			"there is no cgroup that this user may use");
	}
	r = make_at(g, &p, id, to_give(&p, need), d);
	if (r < 0)
		return r;
	r = cgroup_limits_set(g->fd, l, p.gives, warn, data, d);
	if (r < 0) {
		cgroup_remove(g);
		return r;
	}
	*ret = TAKE_PTR(g);
	return 0;
}

/* Only a directory that cgroup_make could have made: the path may come from a file. */
static bool path_ok(const char *path)
{
	struct str s = str_from(path), id, parent;
	const char *slash = path[0] == '/' ? strrchr(path, '/') : NULL;

	if (!slash || !id_ok(slash + 1))
		return false;
	id = str_from(slash + 1);
	parent = str_slice(s, 0, s.n - id.n - 1);
	return str_ends(parent, STR("/" CGROUP_OURS)) && !strstr(path, "/../");
}

int cgroup_open(struct cgroup **ret, const char *path, struct diag *d)
{
	_cleanup_(cgroup_free_p) struct cgroup *g = handle_new();
	struct statfs fs;
	int r;

	if (!g)
		return -ENOMEM;
	if (!path_ok(path))
		return diag_fail(d, -EINVAL, "%s is no cgroup of a container", path);
	r = buf_adds(&g->path, path);
	if (r == 0)
		r = open_files(g);
	if (r < 0)
		return r == -ENOENT ? r : diag_errno(d, r, "cannot open %s", path);
	if (fstatfs(g->fd, &fs) < 0 || fs.f_type != CGROUP2_SUPER_MAGIC)
		return diag_fail(d, -EINVAL, "%s is no cgroup", path);
	*ret = TAKE_PTR(g);
	return 0;
}

int cgroup_find(struct cgroup **ret, const char *id, struct diag *d)
{
	static const unsigned wanted[] = { 0, CGROUP_ALL };
	int r = -ENOENT;

	for (size_t i = 0; i < ARRAY_SIZE(wanted) && r == -ENOENT; i++) {
		_cleanup_place_ struct cgroup_place p = CGROUP_PLACE_INIT;
		_cleanup_buf_ struct buf path = BUF_INIT;

		if (cgroup_place_find(&cgroup_host, wanted[i], &p) < 0)
			continue;
		r = buf_addf(&path, "%s/" CGROUP_OURS "/%s", buf_text(&p.path), id);
		if (r == 0)
			r = cgroup_open(ret, path.data, d);
	}
	return r;
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Waits until a line of cgroup.events has the value; one that was removed has no processes. */
static int wait_event(const struct cgroup *g, const char *key, uint64_t value, int ms)
{
	_cleanup_fd_ int fd = openat(g->fd, "cgroup.events", O_RDONLY | O_CLOEXEC);
	int64_t end = now_ms() + ms;
	char text[256];

	if (fd < 0)
		return -errno;
	for (;;) {
		ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
		struct pollfd p = { fd, POLLPRI };
		int64_t left = end - now_ms();

		if (n < 0)
			return errno == ENODEV ? -ENOENT : -errno;
		text[n] = '\0';
		if (cgroup_field(text, key) == value)
			return 0;
		if (cgroup_field(text, key) == CGROUP_UNLIMITED)
			return -EOPNOTSUPP;
		if (left <= 0)
			return -ETIMEDOUT;
		poll(&p, 1, (int)left);
	}
}

/* Calls `leave` for all cgroups below and then for this one. */
static int walk(int parent, const char *name, unsigned depth, int (*leave)(int parent, const char *name))
{
	_cleanup_fd_ int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int copy = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 3), r = 0;
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *e;

	if (!dir) {
		r = -errno;
		fd_closep(&copy);
		return r == -ENOENT ? 0 : r;
	}
	while (r == 0 && (e = readdir(dir)))
		if (e->d_type == DT_DIR && e->d_name[0] != '.')
			r = depth ? walk(fd, e->d_name, depth - 1, leave) : -ELOOP;
	closedir(dir);
	return r < 0 ? r : leave(parent, name);
}

static int kill_listed(int parent, const char *name)
{
	_cleanup_buf_ struct buf file = BUF_INIT, b = BUF_INIT;
	uint64_t pid;
	int r = file_slurp(parent, below(&file, name, "cgroup.procs"), &b, CGROUP_FILE_MAX);

	for (struct str rest = buf_str(&b); rest.p;)
		if (str_u64(str_cut(&rest, '\n'), &pid) == 0 && pid)
			kill((pid_t)pid, SIGKILL);
	return r;
}

/* Before Linux 5.14. Frozen processes make no new ones, and their numbers stay theirs. */
static int kill_one_by_one(struct cgroup *g)
{
	int r = 0;

	cgroup_freeze(g, true);
	for (int i = 0; i < KILL_ROUNDS && r == 0; i++) {
		r = walk(g->fd, ".", DEPTH_MAX, kill_listed);
		if (wait_event(g, "populated", 0, 10) != -ETIMEDOUT)
			break;
	}
	cgroup_write(g->fd, "cgroup.freeze", "0");
	return r;
}

int cgroup_kill(struct cgroup *g)
{
	int r = g ? cgroup_write(g->fd, "cgroup.kill", "1") : -ENOENT;

	return r == -ENOENT && g && faccessat(g->fd, "cgroup.procs", F_OK, 0) == 0 ?
		kill_one_by_one(g) : r;
}

int cgroup_freeze(struct cgroup *g, bool on)
{
	int r = g ? cgroup_write(g->fd, "cgroup.freeze", on ? "1" : "0") : -ENOENT;

	if (r == 0)
		r = wait_event(g, "frozen", on, FREEZE_MS);
	if (r == -ETIMEDOUT && on)
		cgroup_write(g->fd, "cgroup.freeze", "0");
	return r;
}

int cgroup_frozen(struct cgroup *g, bool *ret)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	int r = g ? file_slurp(g->fd, "cgroup.events", &b, CGROUP_FILE_MAX) : -ENOENT;

	if (r == 0)
		*ret = cgroup_field(buf_text(&b), "frozen") == 1;
	return r;
}

static int remove_child(int parent, const char *name)
{
	return strcmp(name, ".") == 0 || unlinkat(parent, name, AT_REMOVEDIR) == 0 ? 0 : -errno;
}

int cgroup_remove(struct cgroup *g)
{
	int r;

	if (!g)
		return 0;
	r = wait_event(g, "populated", 0, EMPTY_MS);
	if (r < 0 && r != -ENOENT)
		return r;
	walk(g->fd, ".", DEPTH_MAX, remove_child);
	for (int i = 0; i < TRIES && rmdir(g->path.data) < 0; i++) {
		r = errno == ENOENT ? 0 : -errno;
		if (r != -EBUSY)
			break;
		pause_ms(10);
	}
	if (r == -ENOENT || r == -EBUSY)
		r = access(g->path.data, F_OK) < 0 ? 0 : -EBUSY;
	if (r == 0)
		tidy(g);
	return r;
}
