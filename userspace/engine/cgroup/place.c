// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Where cgroups can be made: as root below the hierarchy's root, otherwise in the nearest of the
 * process's own cgroup and those above it that was given to its user (Delegation in cgroup-v2.rst:
 * the directory, cgroup.procs and cgroup.subtree_control are the user's).
 */
#include "engine/cgroup/cgroup-priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#define LOOKS 5	/* while processes end */

const char *const cgroup_controller_names[CGROUP_CONTROLLERS] = { "memory", "pids", "cpu", "io" };

static const char *const mounts[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified", NULL };
const struct cgroup_view cgroup_host = { "/proc", mounts, (uid_t)-1, 0 };

void cgroup_place_done(struct cgroup_place *p)
{
	buf_done(&p->path);
}

static bool exists(const char *dir, const char *file, int how)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	return buf_addf(&b, "%s/%s", dir, file) == 0 &&
		faccessat(AT_FDCWD, buf_text(&b), how, AT_EACCESS) == 0;
}

static int slurp(const char *dir, const char *file, struct buf *ret)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	int r = buf_addf(&b, "%s/%s", dir, file);

	return r < 0 ? r : file_slurp(AT_FDCWD, buf_text(&b), ret, CGROUP_FILE_MAX);
}

static unsigned mask_of(struct str words)
{
	unsigned mask = 0;

	words = str_trim(words);
	while (words.p) {
		struct str word = str_cut(&words, ' ');

		for (size_t c = 0; c < CGROUP_CONTROLLERS; c++)
			if (str_is(word, cgroup_controller_names[c]))
				mask |= CGROUP_BIT(c);
	}
	return mask;
}

unsigned cgroup_read_mask(int dirfd, const char *path)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	return file_slurp(dirfd, path, &b, CGROUP_FILE_MAX) < 0 ? 0 : mask_of(buf_str(&b));
}

static unsigned mask_in(const char *dir, const char *file)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	return slurp(dir, file, &b) < 0 ? 0 : mask_of(buf_str(&b));
}

static const char *find_mount(const struct cgroup_view *w)
{
	for (const char *const *m = w->mounts; *m; m++)
		if (exists(*m, "cgroup.controllers", F_OK))
			return *m;
	return NULL;
}

unsigned cgroup_host_has(const struct cgroup_view *w)
{
	const char *mount = find_mount(w);

	return mount ? mask_in(mount, "cgroup.controllers") : 0;
}

/* The process's own cgroup below the mount: the line "0::" of /proc/self/cgroup. One outside of what
 * is mounted ("/..") is not to be had. */
static int own_path(const struct cgroup_view *w, const char *mount, struct buf *ret)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	int r = slurp(w->proc, "self/cgroup", &b);

	if (r < 0)
		return r;
	for (struct str rest = buf_str(&b); rest.p;) {
		struct str line = str_cut(&rest, '\n');

		if (!str_starts(line, STR("0::/")) || str_starts(line, STR("0::/..")))
			continue;
		line = str_slice(line, 3, line.n);
		buf_reset(ret);
		return buf_addf(ret, "%s%.*s", mount, line.n > 1 ? (int)line.n : 0, line.p);
	}
	return -ENOENT;
}

static bool writable(const char *dir)
{
	return exists(dir, ".", W_OK | X_OK) && exists(dir, "cgroup.procs", W_OK) &&
		exists(dir, "cgroup.subtree_control", W_OK);
}

/* This program again (the caller of a detached container's supervisor waits for it), or a helper of
 * its own: those may move with us. errno is ENOENT of one that has ended meanwhile. */
static bool is_kin(const struct cgroup_view *w, uint64_t pid)
{
	char link[160], exe[4096];
	const char *name;
	ssize_t n;

	snprintf(link, sizeof(link), "%s/%llu/exe", w->proc, (unsigned long long)pid);
	errno = 0;
	n = readlink(link, exe, sizeof(exe) - 1);
	if (n <= 0)
		return false;
	exe[n] = '\0';
	name = strrchr(exe, '/');
	return name && str_starts(str_from(name + 1), STR("cratons"));
}

int cgroup_move_kin(const struct cgroup_view *w, const char *from, const char *to)
{
	_cleanup_buf_ struct buf b = BUF_INIT, procs = BUF_INIT;
	uint64_t pid;
	char text[32];
	int r = buf_addf(&procs, "%s/cgroup.procs", to);

	if (r == 0)
		r = slurp(from, "cgroup.procs", &b);
	for (struct str rest = str_trim(buf_str(&b)); rest.p && r == 0;) {
		if (str_u64(str_cut(&rest, '\n'), &pid) < 0 || !is_kin(w, pid))
			continue;
		snprintf(text, sizeof(text), "%llu", (unsigned long long)pid);
		r = cgroup_write(AT_FDCWD, procs.data, text);
		if (r == -ESRCH)
			r = 0;
	}
	return r;
}

/* Processes that this one cannot see, being in another pid namespace, are listed as 0. True when one that
 * is listed has no program any more. */
static bool count_processes(const struct cgroup_view *w, struct cgroup_place *p)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	uint64_t self = (uint64_t)(w->pid ? w->pid : getpid()), pid = 0;
	bool ended = false;

	p->others = 0;
	p->self = false;
	if (slurp(buf_text(&p->path), "cgroup.procs", &b) < 0)
		p->others = 1;	/* threaded: not for us */
	for (struct str rest = str_trim(buf_str(&b)); rest.p;) {
		struct str line = str_cut(&rest, '\n');

		if (line.n == 0)
			continue;
		if (str_u64(line, &pid) == 0 && pid == self) {
			p->self = true;
		} else if (!is_kin(w, pid)) {
			ended |= pid != 0 && errno == ENOENT;
			p->others++;
		}
	}
	return ended;
}

static void look_at(const struct cgroup_view *w, struct cgroup_place *p)
{
	const char *dir = buf_text(&p->path);

	p->root = !exists(dir, "cgroup.type", F_OK);
	p->has = mask_in(dir, "cgroup.controllers");
	p->gives = mask_in(dir, "cgroup.subtree_control") & p->has;
	/* What has ended is not listed the next time, and may have been one of ours. */
	for (int i = 0; i < LOOKS && count_processes(w, p); i++)
		;
	if (p->root || p->others == 0)
		p->gives = p->has;
}

static int weight(unsigned mask)
{
	return __builtin_popcount(mask);
}

/* Takes what the candidate has if it is better than what was found so far. */
static void consider(const struct cgroup_view *w, const char *dir, unsigned wanted,
	struct cgroup_place *best, bool *found)
{
	struct cgroup_place p = CGROUP_PLACE_INIT;

	if (!writable(dir) || buf_adds(&p.path, dir) < 0)
		return;
	look_at(w, &p);
	if (*found && weight(p.gives & wanted) <= weight(best->gives & wanted)) {
		cgroup_place_done(&p);
		return;
	}
	cgroup_place_done(best);
	*best = p;
	*found = true;
}

static bool enough(const struct cgroup_place *p, bool found, unsigned wanted)
{
	return found && (p->gives & wanted) == wanted;
}

/*
 * Our own directories are not places for others, and slices and the user's manager are systemd's to
 * change, though they belong to the user: one looks above them, and else asks systemd.
 */
static bool is_taken(const char *dir)
{
	struct str name = str_from(strrchr(dir, '/') + 1);

	return str_is(name, CGROUP_SUPERVISOR) || str_is(name, CGROUP_OURS) ||
		str_ends(name, STR(".slice")) || str_starts(name, STR("user@"));
}

int cgroup_place_find(const struct cgroup_view *w, unsigned wanted, struct cgroup_place *ret)
{
	const char *mount = find_mount(w);
	uid_t uid = w->uid == (uid_t)-1 ? geteuid() : w->uid;
	_cleanup_place_ struct cgroup_place best = CGROUP_PLACE_INIT;
	_cleanup_buf_ struct buf dir = BUF_INIT;
	bool found = false;

	if (!mount)
		return -ENOENT;
	if (uid == 0)
		consider(w, mount, wanted, &best, &found);
	if (!enough(&best, found, wanted) && own_path(w, mount, &dir) == 0)
		while (dir.len > strlen(mount) && !enough(&best, found, wanted)) {
			if (!is_taken(dir.data))
				consider(w, dir.data, wanted, &best, &found);
			dir.len = (size_t)(strrchr(dir.data, '/') - dir.data);
			dir.data[dir.len] = '\0';
		}
	/* The root of a cgroup namespace that was given to the user. */
	if (!enough(&best, found, wanted) && uid != 0)
		consider(w, mount, wanted, &best, &found);
	if (!found)
		return -EACCES;
	*ret = best;
	best = (struct cgroup_place)CGROUP_PLACE_INIT;
	return 0;
}

/* The lines of /proc/cgroups: name, number of the v1 hierarchy or 0, cgroups, enabled. */
static void v1_state(const struct cgroup_view *w, enum cgroup_controller c, bool *ret_v1, bool *ret_off)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	const char *name = c == CGROUP_IO ? "blkio" : cgroup_controller_names[c];

	*ret_v1 = *ret_off = false;
	if (slurp(w->proc, "cgroups", &b) < 0)
		return;
	for (struct str rest = buf_str(&b); rest.p;) {
		struct str line = str_cut(&rest, '\n');

		if (!str_is(str_cut(&line, '\t'), name))
			continue;
		*ret_v1 = !str_is(str_cut(&line, '\t'), "0");
		str_cut(&line, '\t');
		*ret_off = str_is(str_trim(line), "0");
	}
}

static int say(struct buf *why, struct buf *fix, const char *reason, const char *remedy)
{
	int r = buf_adds(why, reason);

	return r < 0 ? r : buf_adds(fix, remedy);
}

static int not_delegated(const struct cgroup_place *p, const char *name, struct buf *why, struct buf *fix)
{
	int r = !p ? buf_addf(why, "no cgroup was delegated to this user") :
		p->has & mask_of(str_from(name)) ?
		buf_addf(why, "%s has %u other process%s, beside which it cannot give the controller "
			"'%s' on", buf_text(&p->path), p->others, p->others == 1 ? "" : "es", name) :
		buf_addf(why, "the controller '%s' is not delegated to %s", name, buf_text(&p->path));

	if (r < 0)
		return r;
	if (p && p->has & mask_of(str_from(name)))
		return buf_adds(fix, "start it by itself in one: systemd-run --user --scope -p "
			"Delegate=yes cratons ...");
	return buf_adds(fix, "as root: systemctl edit user@.service, with the lines [Service] and "
		"Delegate=cpu cpuset io memory pids; then loginctl enable-linger USER, or log in anew");
}

int cgroup_lacks(const struct cgroup_view *w, const struct cgroup_place *p, enum cgroup_controller c,
	struct buf *why, struct buf *fix)
{
	const char *name = cgroup_controller_names[c];
	bool v1, off;
	int r;

	if (!find_mount(w))
		return say(why, fix, "cgroup v2 is not mounted",
			"mount -t cgroup2 none /sys/fs/cgroup, or boot with "
			"systemd.unified_cgroup_hierarchy=1");
	if (cgroup_host_has(w) & CGROUP_BIT(c))
		return not_delegated(p, name, why, fix);
	v1_state(w, c, &v1, &off);
	if (v1) {
		r = buf_addf(why, "the controller '%s' is used by cgroup v1", name);
		return r < 0 ? r : buf_adds(fix, "boot with systemd.unified_cgroup_hierarchy=1, or "
			"cgroup_no_v1=all, so that cgroup v2 has it");
	}
	r = buf_addf(why, "cgroup v2 has no controller '%s' here%s", name,
		off ? " (it is disabled)" : "");
	return r < 0 ? r : buf_addf(fix, off ? "boot without cgroup_disable=%s" :
		"a kernel with it; in a container, give its cgroup the controller '%s'", name);
}
