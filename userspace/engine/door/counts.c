// SPDX-License-Identifier: GPL-2.0-or-later
/* What went through a door, grant by grant: a file that the helper has mapped and anybody may read. */
#include "engine/door/door-priv.h"

#include "prim/err.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

/* The helper maps it: its blocks are there from the beginning, as a full disk would kill whoever counts. */
static int allocate(int fd, const struct buf *b)
{
	void *p;
	int r = ftruncate(fd, 0) < 0 ? -errno : -posix_fallocate(fd, 0, (off_t)b->len);

	if (r < 0)
		return r;
	p = mmap(NULL, b->len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return -errno;
	munmap(p, b->len);
	return 0;
}

/* Until its magic is there it is no such file. */
static int write_all(int fd, const struct buf *b)
{
	int r = fd_pwrite_all(fd, (char *)b->data + 8, b->len - 8, 8);

	return r < 0 ? r : fd_pwrite_all(fd, b->data, 8, 0);
}

static int describe(const struct door *o, struct buf *b)
{
	struct egress_counts_head head = { .magic = EGRESS_COUNTS_MAGIC,
		.rows = (uint32_t)(o->grants->v.n + o->npublish) };
	static const struct egress_counts none;
	size_t names;
	int r = buf_add(b, &head, sizeof(head));

	for (size_t i = 0; i < head.rows && r == 0; i++)
		r = buf_add(b, &none, sizeof(none));
	names = b->len;
	vec_foreach(g, &o->grants->v)
		if (r == 0)
			r = buf_add(b, g->text.p, g->text.n) < 0 ? -ENOMEM : buf_add(b, "", 1);
	for (size_t i = 0; i < o->npublish && r == 0; i++)
		r = buf_addf(b, "publish %u", o->publish[i].port) < 0 ? -ENOMEM : buf_add(b, "", 1);
	if (r < 0)
		return r;
	head.names = (uint32_t)(b->len - names);
	memcpy(b->data, &head, sizeof(head));
	return b->len <= EGRESS_COUNTS_MAX ? 0 : -ERR_LIMIT;
}

/* A file system that cannot map (9p, some FUSE) leaves it to one in memory: then only who runs it can tell. */
int counts_make(struct door *o, int given, struct diag *d)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	int r = describe(o, &b);

	if (r == 0 && given >= 0)
		o->counts = fcntl(given, F_DUPFD_CLOEXEC, 3);
	if (r == 0 && (o->counts < 0 || allocate(o->counts, &b) < 0)) {
		fd_closep(&o->counts);
		o->counts = memfd_create("counts", MFD_CLOEXEC);
		r = o->counts < 0 ? -errno : allocate(o->counts, &b);
	}
	if (r == 0)
		r = write_all(o->counts, &b);
	return r < 0 ? diag_errno(d, r, "cannot count what goes through the network door") : 0;
}

/* As grants are written; what else would be printed is not ours. */
static bool is_plain(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (s[i] < ' ' || s[i] > '~')
			return false;
	return n > 0;
}

static int read_rows(const struct egress_counts *rows, size_t n, const char *names, size_t len,
	struct arena *a, struct door_count *to)
{
	for (size_t i = 0; i < n; i++) {
		const char *end = memchr(names, '\0', len);
		size_t size = end ? (size_t)(end - names) : 0;

		if (!end || !is_plain(names, size))
			return -EBADMSG;
		to[i] = (struct door_count){ arena_str(a, str_of(names, size)).p, rows[i].connections,
			rows[i].refused, rows[i].bytes_out, rows[i].bytes_in, (unsigned)rows[i].open };
		if (!to[i].grant)
			return -ENOMEM;
		names += size + 1;
		len -= size + 1;
	}
	return len ? -EBADMSG : 0;
}

int door_counts_read(int fd, struct arena *a, struct door_count **ret, size_t *ret_n)
{
	struct egress_counts_head head;
	_cleanup_free_ char *bytes = NULL;
	struct door_count *all;
	struct stat st;
	size_t rows;
	int r;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size < (off_t)sizeof(head) || st.st_size > EGRESS_COUNTS_MAX)
		return -EBADMSG;
	bytes = malloc((size_t)st.st_size);
	r = !bytes ? -ENOMEM : fd_pread_all(fd, bytes, (size_t)st.st_size, 0);
	if (r < 0)
		return r == -EIO ? -EBADMSG : r;
	memcpy(&head, bytes, sizeof(head));
	rows = head.rows * sizeof(struct egress_counts);
	if (memcmp(head.magic, EGRESS_COUNTS_MAGIC, sizeof(head.magic)) != 0 ||
		head.rows > EGRESS_GRANTS_MAX + EGRESS_PUBLISH_MAX ||
		sizeof(head) + rows + head.names != (uint64_t)st.st_size)
		return -EBADMSG;
	all = arena_newn(a, struct door_count, head.rows + 1);
	r = !all ? -ENOMEM : read_rows((const struct egress_counts *)(bytes + sizeof(head)), head.rows,
		bytes + sizeof(head) + rows, head.names, a, all);
	if (r < 0)
		return r;
	*ret = all;
	*ret_n = head.rows;
	return 0;
}

int door_counts(const struct door *o, struct arena *a, struct door_count **ret, size_t *ret_n)
{
	return door_counts_read(o->counts, a, ret, ret_n);
}
