// SPDX-License-Identifier: GPL-2.0-or-later
#include "prim/diag.h"

#include "prim/err.h"

#include <errno.h>

#define DIAG_TEXT_MAX 16384

/* What the last failure without a diagnostic was, for who adds a place or a hint to it. */
static _Thread_local int unrecorded = -EINVAL;

static int not_recorded(int code)
{
	if (code < 0)
		unrecorded = code;
	return code;
}

void diag_done(struct diag *d)
{
	buf_done(&d->what);
	buf_done(&d->where);
	buf_done(&d->hint);
	d->code = 0;
}

void diag_reset(struct diag *d)
{
	buf_reset(&d->what);
	buf_reset(&d->where);
	buf_reset(&d->hint);
	d->code = 0;
}

/* Text too long for a diagnostic is cut, never lost. */
static void _printf_(2, 0) put(struct buf *b, const char *format, va_list ap)
{
	size_t from = b->len;

	if (buf_vaddf(b, format, ap) < 0)
		return;
	if (b->len > DIAG_TEXT_MAX) {
		b->len = DIAG_TEXT_MAX;
		b->data[b->len] = '\0';
	}
	buf_disarm(b, from, "\n\t");
}

int diag_fail(struct diag *d, int code, const char *format, ...)
{
	va_list ap;

	if (!d)
		return not_recorded(code);
	diag_reset(d);
	d->code = code;
	va_start(ap, format);
	put(&d->what, format, ap);
	va_end(ap);
	return code;
}

int diag_errno(struct diag *d, int code, const char *format, ...)
{
	va_list ap;

	if (!d)
		return not_recorded(code);
	diag_reset(d);
	d->code = code;
	va_start(ap, format);
	put(&d->what, format, ap);
	va_end(ap);
	(void)buf_addf(&d->what, ": %s", err_sentence(code));
	return code;
}

int diag_where(struct diag *d, const char *format, ...)
{
	va_list ap;

	if (!d)
		return unrecorded;
	if (d->where.len == 0) {
		va_start(ap, format);
		put(&d->where, format, ap);
		va_end(ap);
	}
	return d->code;
}

int diag_hint(struct diag *d, const char *format, ...)
{
	va_list ap;

	if (!d)
		return unrecorded;
	if (d->hint.len == 0) {
		va_start(ap, format);
		put(&d->hint, format, ap);
		va_end(ap);
	}
	return d->code;
}

int diag_copy(struct diag *d, const struct diag *from)
{
	if (!d)
		return not_recorded(from->code);
	diag_reset(d);
	d->code = from->code;
	(void)buf_addstr(&d->what, buf_str(&from->what));
	(void)buf_addstr(&d->where, buf_str(&from->where));
	(void)buf_addstr(&d->hint, buf_str(&from->hint));
	return d->code;
}

int diag_under(struct diag *d, int r, int code)
{
	if (r >= 0 || r <= -ERR_FIRST)
		return r;
	if (d && d->code == r)
		d->code = code;
	return code;
}

int diag_context(struct diag *d, const char *format, ...)
{
	struct buf whole = BUF_INIT;
	va_list ap;

	if (!d)
		return unrecorded;
	va_start(ap, format);
	put(&whole, format, ap);
	va_end(ap);
	if (buf_addf(&whole, ": %s", buf_text(&d->what)) < 0) {
		buf_done(&whole);
		return d->code;
	}
	buf_done(&d->what);
	d->what = whole;
	return d->code;
}
