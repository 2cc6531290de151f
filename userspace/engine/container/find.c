// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Finding one among many. A container's directory is called after its id and its name, so that the names of
 * the directories are enough to choose by, and only the record of the one that is meant is read.
 */
#include "engine/container/container-priv.h"

#include "prim/err.h"
#include "prim/vec.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

bool container_name_valid(const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
	size_t n = strlen(name);

	return n > 0 && n <= CONTAINER_NAME_MAX && strspn(name, letters) == n && !strchr("_.-", name[0]) &&
		!container_id_valid(str_from(name));
}

bool container_id_valid(struct str id)
{
	for (size_t i = 0; i < id.n; i++)
		if (!(id.p[i] >= '0' && id.p[i] <= '9') && !(id.p[i] >= 'a' && id.p[i] <= 'f'))
			return false;
	return id.n == CONTAINER_ID_HEX;
}

void container_place(char ret[PLACE_SIZE], const char *id, const char *name)
{
	snprintf(ret, PLACE_SIZE, "%s%s%s", id, name ? "." : "", name ? name : "");
}

bool container_place_parse(const char *place, struct str *ret_id, const char **ret_name)
{
	struct str id = str_slice(str_from(place), 0, CONTAINER_ID_HEX);

	if (!container_id_valid(id) || (place[id.n] && (place[id.n] != '.' ||
			!container_name_valid(place + id.n + 1))))
		return false;
	*ret_id = id;
	*ret_name = place[id.n] ? place + id.n + 1 : NULL;
	return true;
}

/* In the arena. Names are unique but for what is being removed. */
struct search {
	struct arena *a;
	const char *which;
	VEC(const char *) named, begun;
};

static void search_done(struct search *s)
{
	vec_done(&s->named);
	vec_done(&s->begun);
}

static int consider(struct search *s, const char *place)
{
	const char *name, *copy;
	struct str id;
	bool is_named;

	if (!container_place_parse(place, &id, &name))
		return 0;
	is_named = name && strcmp(name, s->which) == 0;
	if (!is_named && (!s->which[0] || !str_starts(id, str_from(s->which))))
		return 0;
	copy = arena_str(s->a, str_from(place)).p;
	if (!copy)
		return -ENOMEM;
	return is_named ? vec_push(&s->named, copy) : vec_push(&s->begun, copy);
}

static int search(int all, struct search *s)
{
	int fd = openat(all, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r;
	DIR *dir = fd < 0 ? NULL : dir_stream(fd);
	const char *name;

	if (!dir)
		return -errno;
	while ((r = dir_next(dir, &name)) == 1) {
		r = consider(s, name);
		if (r < 0)
			break;
	}
	closedir(dir);
	return r;
}

static int not_found(const char *which, struct diag *d)
{
	diag_fail(d, -ERR_CONTAINER, "there is no container '%s'", which);
	return diag_hint(d, "cratons ps --all lists them");
}

static int ambiguous(const struct search *s, struct diag *d)
{
	_cleanup_buf_ struct buf ids = BUF_INIT;

	vec_foreach(place, &s->begun)
		if (ids.len < 200)
			(void)!buf_addf(&ids, "%s%.*s", ids.len ? ", " : "", CONTAINER_ID_HEX, *place);
	diag_fail(d, -ERR_CONTAINER, "more than one container's id begins with '%s'", s->which);
	return diag_hint(d, "they are %s", buf_text(&ids));
}

/* What is listed may be gone, or be garbage: -ENOENT. */
static int choose(int all, const struct search *s, struct container_record *ret, struct diag *d)
{
	size_t there = 0;
	int first = 0;

	vec_foreach(place, &s->named) {
		int r = container_look(all, *place, s->a, ret, d);

		if (r != -ENOENT)
			return r;
	}
	vec_foreach(place, &s->begun) {
		struct container_record c;
		int r = container_look(all, *place, s->a, &c, d);

		if (r == -ENOENT)
			continue;
		if (++there > 1)
			return ambiguous(s, d);
		first = r;
		if (r == 0)
			*ret = c;
	}
	return there ? first : not_found(s->which, d);
}

int container_find(int home_fd, struct arena *a, const char *which, struct container_record *ret,
	struct diag *d)
{
	_cleanup_(search_done) struct search s = { .a = a, .which = which };
	_cleanup_fd_ int all = containers_open(home_fd, d);
	int r = all < 0 ? all : -ENOENT;

	/* No name has the form of an id. */
	if (r == -ENOENT && container_id_valid(str_from(which)))
		r = container_look(all, which, a, ret, d);
	if (r != -ENOENT || all < 0)
		return r;
	r = search(all, &s);
	return r < 0 ? diag_errno(d, r, "cannot list the containers") : choose(all, &s, ret, d);
}

int container_check_name(int all, const char *name, struct diag *d)
{
	_cleanup_arena_ struct arena a = ARENA_INIT;
	_cleanup_(search_done) struct search s = { .a = &a, .which = name };
	struct container_record c;
	int r;

	if (!container_name_valid(name)) {
		diag_fail(d, -ERR_USAGE, "'%s' is no name for a container", name);
		return diag_hint(d, "letters, digits, '_', '.' and '-', at most %d, the first a letter or "
			"a digit, and not what an id is like", CONTAINER_NAME_MAX);
	}
	r = search(all, &s);
	if (r < 0)
		return diag_errno(d, r, "cannot list the containers");
	vec_foreach(place, &s.named) {
		if (container_look(all, *place, &a, &c, NULL) < 0)
			continue;
		diag_fail(d, -ERR_CONTAINER, "there is a container '%s' already (%s, %s)", name, c.id,
			container_status_name(c.status));
		return diag_hint(d, "cratons container rm %s", name);
	}
	return 0;
}

int container_discard(int home_fd, const char *id, struct diag *d)
{
	_cleanup_fd_ int all = container_id_valid(str_from(id)) ? containers_open(home_fd, d) : -1, dir = -1;
	_cleanup_arena_ struct arena a = ARENA_INIT;
	_cleanup_(search_done) struct search s = { .a = &a, .which = id };

	if (all < 0 || search(all, &s) < 0 || s.begun.n != 1)
		return -ENOENT;
	dir = container_open_dir(all, s.begun.v[0]);
	if (dir < 0 || container_is_held(dir))
		return -ENOENT;
	return container_forget(all, s.begun.v[0]);
}
