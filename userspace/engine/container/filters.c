// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The seccomp programs of a container that has others than its profile's: a file of one's own, a bundle's
 * filter. A further command is bound by these very instructions, not by what could be compiled again. The
 * file is written before anyone sees the container, and the record has its digest: what is missing or was
 * changed is no filter.
 */
#include "engine/container/container-priv.h"

#include "engine/sandbox/seccomp.h"
#include "prim/err.h"
#include "prim/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf_common.h>

#define FILTERS	 "filters"
#define PROGRAMS (SECCOMP_PROGRAMS + 1)	/* instead of the profile's, or none of these; and one besides, or none */

/* The instructions follow, one program after the other. */
struct filters {
	uint32_t length[PROGRAMS];
	struct sock_filter code[];
};

#define FILTERS_MAX (sizeof(struct filters) + PROGRAMS * BPF_MAXINSNS * sizeof(struct sock_filter))

static struct sock_fprog program(const struct sandbox *s, size_t i)
{
	if (i == SECCOMP_PROGRAMS)
		return s->seccomp_besides;
	return s->seccomp_programs ? s->seccomp_programs[i] : (struct sock_fprog){ 0 };
}

static int print(const struct sandbox *s, struct buf *to)
{
	struct filters head;
	int r;

	for (size_t i = 0; i < PROGRAMS; i++)
		head.length[i] = program(s, i).len;
	r = buf_add(to, &head, sizeof(head));
	for (size_t i = 0; i < PROGRAMS && r == 0; i++)
		if (head.length[i])
			r = buf_add(to, program(s, i).filter, head.length[i] * sizeof(*head.code));
	return r;
}

int filters_save(struct supervised *c)
{
	const struct sandbox *s = &c->spec->sandbox;
	_cleanup_buf_ struct buf b = BUF_INIT;
	_cleanup_fd_ int fd = -1;
	struct digest digest;
	char hex[DIGEST_HEX];
	int r;

	if (!s->seccomp_programs && !s->seccomp_besides.len)
		return 0;
	r = print(s, &b);
	if (r == 0)
		r = fault_point("write filters");
	if (r < 0)
		return r;
	digest = hash_bytes(b.data, b.len);
	c->rec.filters = arena_str(&c->arena, str_from(digest_hex(&digest, hex))).p;
	fd = openat(c->dir, FILTERS, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	return fd < 0 ? -errno : !c->rec.filters ? -ENOMEM : fd_write_all(fd, b.data, b.len);
}

/* Of the profile's two both are replaced or none. */
static bool is_whole(const struct filters *f, size_t bytes)
{
	size_t n = 0;

	if (bytes < sizeof(*f) || !f->length[0] != !f->length[1])
		return false;
	for (size_t i = 0; i < PROGRAMS; i++) {
		if (f->length[i] > BPF_MAXINSNS)
			return false;
		n += f->length[i];
	}
	return n && bytes == sizeof(*f) + n * sizeof(*f->code);
}

static int check(const struct buf *b, const char *hex)
{
	struct digest wanted, is = hash_bytes(b->data, b->len);

	if (digest_parse(&wanted, str_from(hex)) < 0 || !digest_eq(&wanted, &is))
		return -ERR_DIGEST;
	return is_whole((const struct filters *)(const void *)b->data, b->len) ? 0 : -ERR_SYNTAX;
}

static int take(struct arena *a, const struct buf *b, struct sandbox *s)
{
	struct sock_fprog *own = arena_newn(a, struct sock_fprog, PROGRAMS);
	struct filters *f = arena_alloc(a, b->len);
	size_t at = 0;

	if (!own || !f)
		return -ENOMEM;
	memcpy(f, b->data, b->len);
	for (size_t i = 0; i < PROGRAMS; i++) {
		own[i] = (struct sock_fprog){ (unsigned short)f->length[i], f->code + at };
		at += f->length[i];
	}
	s->seccomp_programs = own[0].len ? own : NULL;
	s->seccomp_besides = own[SECCOMP_PROGRAMS];
	return 0;
}

int filters_load(int home_fd, struct arena *a, const struct container_record *c, struct sandbox *s,
	struct diag *d)
{
	_cleanup_fd_ int all = c->filters ? containers_open(home_fd, d) : -1, dir = -1;
	_cleanup_buf_ struct buf b = BUF_INIT;
	int r;

	if (!c->filters)
		return 0;
	dir = all < 0 ? all : container_open_dir(all, c->place);
	r = dir < 0 ? dir : own_file_read(dir, FILTERS, &b, FILTERS_MAX);
	if (r == 0)
		r = check(&b, c->filters);
	if (r == 0)
		r = take(a, &b, s);
	if (r == 0)
		return 0;
	diag_fail(d, -ERR_CONTAINER, "the seccomp filters of container %s cannot be read: %s", c->id,
		err_sentence(r));
	return diag_hint(d, "a further command would be bound by less; those that run are not touched");
}
