// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/unpack/tar.h"

#include "prim/err.h"
#include "tree/tree.h"

#include <errno.h>

#define BLOCK	     512
#define PAX_MAX	     ((uint64_t)1 << 20)	/* bytes of extended headers for one entry */
#define LONG_NAME_MAX ((uint64_t)64 << 10)
#define NAME_SHOWN   300	/* bytes of an entry's name in a sentence */
#define WINDOW	     ((size_t)256 << 10)

/* The header block (pax(1p), "ustar Interchange Format"). */
struct header {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8];
	char type;
	char linkname[100], magic[6], version[2], uname[32], gname[32], major[8], minor[8];
	char prefix[155], padding[12];
};
_Static_assert(sizeof(struct header) == BLOCK, "a tar header is one block");

void tar_init(struct tar_reader *t, struct str bytes, bool need_end)
{
	*t = (struct tar_reader){ .bytes = bytes, .need_end = need_end };
}

void tar_init_stream(struct tar_reader *t, tar_fill_fn fill, void *data, uint64_t max)
{
	*t = (struct tar_reader){ .fill = fill, .fill_data = data, .max = max };
}

void tar_done(struct tar_reader *t)
{
	buf_done(&t->window);
	buf_done(&t->short_target);
	buf_done(&t->name);
	buf_done(&t->target);
	buf_done(&t->short_name);
}

static struct str field(const char *p, size_t n)
{
	return str_of(p, strnlen(p, n));
}

/* Octal digits with spaces or NULs around them, or base-256 where the top bit is set. */
static int number(const char *p, size_t n, uint64_t *ret)
{
	struct str s;
	uint64_t v = 0;

	if ((uint8_t)p[0] & 0x80) {
		if ((uint8_t)p[0] != 0x80)
			return -EINVAL;	/* negative, or beyond what any archive can have */
		for (size_t i = 1; i < n; i++) {
			if (v >> 56)
				return -ERANGE;
			v = v << 8 | (uint8_t)p[i];
		}
		*ret = v;
		return 0;
	}
	s = str_trim(field(p, n));
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '7' || v >> 61)
			return -EINVAL;
		v = v << 3 | (uint64_t)(s.p[i] - '0');
	}
	*ret = v;
	return 0;
}

/* Old writers summed signed characters; both are accepted. */
static bool checksum_right(const struct header *h)
{
	const char *p = (const char *)h;
	uint64_t want;
	int64_t plain = 0, with_sign = 0;

	if (number(h->checksum, sizeof(h->checksum), &want) < 0)
		return false;
	for (size_t i = 0; i < BLOCK; i++) {
		bool own = i >= offsetof(struct header, checksum) &&
			   i < offsetof(struct header, checksum) + sizeof(h->checksum);

		plain += own ? ' ' : (uint8_t)p[i];
		with_sign += own ? ' ' : (int8_t)p[i];
	}
	return (int64_t)want == plain || (int64_t)want == with_sign;
}

static bool block_is_zero(const char *p)
{
	static const char zero[BLOCK];

	return memcmp(p, zero, BLOCK) == 0;
}

int tar_refuse(struct diag *d, struct str name, const char *why)
{
	struct str shown = str_slice(name, 0, MIN(name.n, (size_t)NAME_SHOWN));

	return diag_fail(d, -ERR_ARCHIVE, "the archive's entry '%.*s%s' %s", STR_ARG(shown),
		shown.n < name.n ? "..." : "", why);
}

/* Of a stream: sees to it that the window has n bytes from here on, if the archive has. It may move:
 * what pointed into it is gone. */
static int need(struct tar_reader *t, size_t n, struct diag *d)
{
	size_t left = t->bytes.n - t->at, room = MAX(n, WINDOW) - left, got = 0;
	int r;

	if (!t->fill || t->ended || left >= n)
		return 0;
	if (left)
		memmove(t->window.data, t->bytes.p + t->at, left);
	t->window.len = left;
	t->at = 0;
	r = buf_reserve(&t->window, room);
	if (r == 0)
		r = t->fill(t->fill_data, t->window.data + left, room, &got, d);
	t->ended = got < room;
	t->window.len += got;
	t->bytes = buf_str(&t->window);
	return r;
}

/* The bytes of an entry, and the position moved past their padding. */
static int take(struct tar_reader *t, struct str name, uint64_t size, struct str *ret,
	struct diag *d)
{
	size_t left, padded = ((size_t)size + BLOCK - 1) / BLOCK * BLOCK;
	int r = need(t, padded, d);

	left = t->bytes.n - t->at;
	if (r < 0)
		return r;
	if (size > left)
		return tar_refuse(d, name, "is longer than the archive");
	*ret = str_of(t->bytes.p + t->at, (size_t)size);
	t->at += MIN(left, padded);
	return 0;
}

/* Contents that are too large for the window wait for tar_read. */
static int take_later(struct tar_reader *t, struct str name, uint64_t size, struct diag *d)
{
	if (size > t->max)
		return tar_refuse(d, name, "is longer than the archive");
	t->pending = size;
	t->padding = -size % BLOCK;
	t->current = name;
	return 0;
}

int tar_read(struct tar_reader *t, void *to, size_t n, struct diag *d)
{
	size_t left = MIN(n, t->bytes.n - t->at), got = 0;
	int r = 0;

	if (n > t->pending)
		return -EINVAL;
	memcpy(to, t->bytes.p + t->at, left);
	t->at += left;
	t->pending -= n;
	if (n > left && !t->ended)
		r = t->fill(t->fill_data, (char *)to + left, n - left, &got, d);
	if (r < 0)
		return r;
	t->ended = t->ended || got < n - left;
	return got < n - left ? tar_refuse(d, t->current, "is longer than the archive") : 0;
}

/* The rest of an entry that nobody read, and its padding, which may lack at the archive's end. */
static int pass_over(struct tar_reader *t, struct diag *d)
{
	while (t->pending + t->padding) {
		size_t n;
		int r = need(t, BLOCK, d);

		if (r < 0)
			return r;
		n = (size_t)MIN((uint64_t)(t->bytes.n - t->at), t->pending + t->padding);
		if (n == 0 && t->pending)
			return tar_refuse(d, t->current, "is longer than the archive");
		if (n == 0)
			break;
		t->at += n;
		t->padding -= n > t->pending ? n - t->pending : 0;
		t->pending -= MIN((uint64_t)n, t->pending);
	}
	t->padding = 0;
	return 0;
}

int tar_drain(struct tar_reader *t, struct diag *d)
{
	int r = 0;

	while (r == 0 && t->fill && !t->ended) {
		t->at = t->bytes.n;
		r = need(t, BLOCK, d);
	}
	return r;
}

static int pax_field(struct tar_reader *t, struct str key, struct str value, bool global,
	struct diag *d)
{
	bool name = str_is(key, "path"), target = str_is(key, "linkpath");
	bool size = str_is(key, "size");

	if (str_starts(key, STR("GNU.sparse.")))
		return tar_refuse(d, buf_str(&t->name), "is a sparse file");
	if (!name && !target && !size)
		return 0;
	if (global)
		return diag_fail(d, -ERR_ARCHIVE, "the archive sets '%.*s' for all entries",
			STR_ARG(key));
	if (memchr(value.p, '\0', value.n))
		return diag_fail(d, -ERR_ARCHIVE, "the archive has a name with a NUL byte");
	if (size) {
		t->has_size = true;
		return str_u64(value, &t->size) < 0 ?
			diag_fail(d, -ERR_ARCHIVE, "the archive has a malformed size") : 0;
	}
	buf_reset(name ? &t->name : &t->target);
	*(name ? &t->has_name : &t->has_target) = true;
	return buf_addstr(name ? &t->name : &t->target, value);
}

/* Records "<length> <key>=<value>\n", the length counting itself (pax(1p), "pax Extended Header"). */
static int pax_header(struct tar_reader *t, struct str s, bool global, struct diag *d)
{
	while (s.n) {
		size_t space = str_find(s, ' ', 0), equals;
		struct str record;
		uint64_t len;
		int r;

		if (str_u64(str_slice(s, 0, space), &len) < 0 || len > s.n || len < space + 3 ||
				s.p[len - 1] != '\n')
			return diag_fail(d, -ERR_ARCHIVE, "the archive has a malformed pax header");
		record = str_slice(s, space + 1, (size_t)len - 1);
		equals = str_find(record, '=', 0);
		if (equals == record.n || equals == 0)
			return diag_fail(d, -ERR_ARCHIVE, "the archive has a malformed pax header");
		r = pax_field(t, str_slice(record, 0, equals),
			str_slice(record, equals + 1, record.n), global, d);
		if (r < 0)
			return r;
		s = str_slice(s, (size_t)len, s.n);
	}
	return 0;
}

static int gnu_long(struct tar_reader *t, struct str s, bool name)
{
	struct buf *b = name ? &t->name : &t->target;

	*(name ? &t->has_name : &t->has_target) = true;
	buf_reset(b);
	return buf_addstr(b, field(s.p, s.n));
}

static bool is_ustar(const struct header *h)
{
	return memcmp(h->magic, "ustar\0", 6) == 0;
}

/* The name in the header itself; GNU archives ("ustar  ") use the prefix's room otherwise. */
static int header_name(struct tar_reader *t, const struct header *h, struct str *ret)
{
	struct str name = field(h->name, sizeof(h->name));
	struct str prefix = field(h->prefix, sizeof(h->prefix));
	int r;

	if (!is_ustar(h))
		prefix.n = 0;
	if (prefix.n == 0 && !t->fill) {
		*ret = name;
		return 0;
	}
	buf_reset(&t->short_name);
	r = buf_addf(&t->short_name, "%.*s%s%.*s", STR_ARG(prefix), prefix.n ? "/" : "",
		STR_ARG(name));
	*ret = buf_str(&t->short_name);
	return r;
}

static int extension(struct tar_reader *t, const struct header *header, struct diag *d)
{
	const struct header copy = *header, *h = &copy;	/* take() may move the window */
	struct str name = field(h->name, sizeof(h->name)), body = { 0 };
	bool pax = h->type == 'x' || h->type == 'g';
	uint64_t size;
	int r;

	if (number(h->size, sizeof(h->size), &size) < 0 || size > (pax ? PAX_MAX : LONG_NAME_MAX))
		return tar_refuse(d, name, "is an extended header of an unacceptable size");
	t->extended += BLOCK + size;
	if (t->extended > PAX_MAX)
		return tar_refuse(d, name, "is one of too many extended headers");
	r = take(t, name, size, &body, d);
	if (r < 0)
		return r;
	if (pax)
		return pax_header(t, body, h->type == 'g', d);
	return gnu_long(t, body, h->type == 'L');
}

static int kind_of(const struct header *h, struct str name, struct tar_entry *ret, struct diag *d)
{
	switch (h->type) {
	case '\0':
	case '0':
	case '7':
		ret->kind = str_ends(name, STR("/")) ? TAR_DIR : TAR_FILE;
		return 0;
	case '1':
		ret->kind = TAR_HARDLINK;
		return 0;
	case '2':
		ret->kind = TAR_SYMLINK;
		return 0;
	case '5':
		ret->kind = TAR_DIR;
		return 0;
	case '3':
	case '4':
	case '6':
		return tar_refuse(d, name, "is a device or a pipe");
	case 'S':
		return tar_refuse(d, name, "is a sparse file");
	default:
		return tar_refuse(d, name, "is of an unknown kind");
	}
}

static int entry(struct tar_reader *t, const struct header *h, struct tar_entry *ret,
	struct diag *d)
{
	struct str name = buf_str(&t->name), target = buf_str(&t->target);
	uint64_t size = t->size, mode;
	int r = 0;

	if (!t->has_name)
		r = header_name(t, h, &name);
	if (!t->has_target)
		target = field(h->linkname, sizeof(h->linkname));
	if (r == 0 && !t->has_target && t->fill) {
		buf_reset(&t->short_target);
		r = buf_addstr(&t->short_target, target);
		target = buf_str(&t->short_target);
	}
	if (r == 0)
		r = kind_of(h, name, ret, d);
	if (r < 0)
		return r;
	if (!t->has_size && number(h->size, sizeof(h->size), &size) < 0)
		return tar_refuse(d, name, "has a malformed size");
	if (number(h->mode, sizeof(h->mode), &mode) < 0)
		return tar_refuse(d, name, "has a malformed mode");
	/* Links carry no contents; some old writers give their target's size all the same. */
	if (ret->kind == TAR_SYMLINK || ret->kind == TAR_HARDLINK || ret->kind == TAR_DIR)
		size = 0;
	ret->size = size;
	ret->later = t->fill && size > TREE_CHUNK;
	ret->contents = (struct str){ 0 };
	r = ret->later ? take_later(t, name, size, d) : take(t, name, size, &ret->contents, d);
	if (r < 0)
		return r;
	ret->name = name;
	ret->target = target;
	ret->executable = mode & 0111;
	t->has_name = t->has_target = t->has_size = false;
	t->extended = 0;
	return 1;
}

static int at_end(struct tar_reader *t, struct diag *d)
{
	if (t->has_name || t->has_target || t->has_size)
		return diag_fail(d, -ERR_ARCHIVE, "the archive ends after an extended header");
	if (t->need_end)
		return diag_fail(d, -ERR_ARCHIVE, "the archive is cut short");
	return 0;
}

int tar_next(struct tar_reader *t, struct tar_entry *ret, struct diag *d)
{
	for (;;) {
		const struct header *h;
		int r = pass_over(t, d);

		if (r == 0)
			r = need(t, BLOCK, d);
		if (r < 0)
			return r;
		h = (const void *)(t->bytes.p + t->at);
		if (t->at == t->bytes.n)
			return at_end(t, d);
		if (t->bytes.n - t->at < BLOCK)
			return diag_fail(d, -ERR_ARCHIVE, "the archive is cut short");
		t->at += BLOCK;
		if (block_is_zero((const char *)h)) {
			t->need_end = false;
			return at_end(t, d);
		}
		if (!checksum_right(h))
			return diag_fail(d, -ERR_ARCHIVE,
				"the archive has a header with a wrong checksum at byte %zu",
				t->at - BLOCK);
		if (h->type != 'x' && h->type != 'g' && h->type != 'L' && h->type != 'K')
			return entry(t, h, ret, d);
		r = extension(t, h, d);
		if (r < 0)
			return r;
	}
}
