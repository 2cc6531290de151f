// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Values kept out of a stream: however it is cut the same comes out, and no value does. The input is the
 * number of values, each with its length, and then the stream; how it is cut comes from its own bytes.
 */
#include "base/mask.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define VALUES_MAX 4

static size_t take_values(const uint8_t **data, size_t *size, struct str *values)
{
	size_t n = 0, wanted = *size ? (*(*data)++) % VALUES_MAX + 1 : 0;

	*size -= *size > 0;
	for (; n < wanted && *size > 1; n++) {
		size_t length = MIN((size_t)(*data)[0] % 64, *size - 1);

		values[n] = str_of(*data + 1, length);
		*data += length + 1;
		*size -= length + 1;
	}
	return n;
}

static bool holds(struct str text, struct str part)
{
	return text.n >= part.n && memmem(text.p, text.n, part.p, part.n);
}

/* Cut in parts, with and without letting short beginnings out. */
static void cut(const struct mask *m, struct str text, bool idle, struct buf *to)
{
	struct mask_stream s = { .mask = m };

	for (size_t at = 0; at < text.n;) {
		size_t n = MIN((size_t)(unsigned char)text.p[at] % 7 + 1, text.n - at);

		if (mask_feed(&s, text.p + at, n, to) < 0 || (idle && mask_idle(&s, to) < 0))
			abort();
		at += n;
	}
	if (mask_end(&s, to) < 0)
		abort();
	mask_stream_done(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_buf_ struct buf whole = BUF_INIT, parts = BUF_INIT, idle = BUF_INIT;
	_cleanup_(mask_free_p) struct mask *m = NULL;
	struct str values[VALUES_MAX], text;
	size_t n = take_values(&data, &size, values);

	if (mask_new(&m, values, n) < 0)
		return 0;
	text = str_of(data, size);
	if (mask_text(m, text, &whole) < 0)
		abort();
	cut(m, text, false, &parts);
	cut(m, text, true, &idle);
	if (!str_eq(buf_str(&whole), buf_str(&parts)))
		abort();
	for (size_t i = 0; i < n; i++) {
		/* What stands for a value may make another that has such letters itself. */
		if (memchr(values[i].p, '*', values[i].n))
			continue;
		if (holds(buf_str(&whole), values[i]) || holds(buf_str(&idle), values[i]))
			abort();
	}
	return 0;
}
