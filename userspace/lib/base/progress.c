// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/progress.h"

#include "base/fd.h"
#include "prim/buf.h"

#include <errno.h>
#include <stdio.h>
#include <sys/ioctl.h>

#define LIVE_MS	  50	/* between drawings */
#define PLAIN_MS  5000	/* between plain lines of a lasting phase */
#define RATE_MS	  1000	/* over which a rate is measured */
#define WAITS_MAX 128

struct phase {
	const char *doing, *done, *noun;	/* doing is NULL: free */
	uint64_t started, said;			/* ms */
	uint64_t count, total, bytes;
	uint64_t rate_at, rate_bytes, rate;	/* bytes a second */
	char waits[WAITS_MAX];
};

struct progress {
	struct progress_options o;
	struct phase phases[PROGRESS_PHASES];
	uint64_t drawn_at;
	unsigned drawn;		/* live lines on the screen */
	struct buf text;
};

static uint64_t now(const struct progress *p)
{
	struct timespec t;

	if (p->o.now)
		return p->o.now(p->o.data);
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static unsigned width(const struct progress *p)
{
	struct winsize w;

	if (p->o.width)
		return p->o.width(p->o.data);
	if (ioctl(p->o.fd, TIOCGWINSZ, &w) < 0 || w.ws_col == 0)
		return 80;
	return w.ws_col;
}

int progress_new(struct progress **ret, const struct progress_options *o)
{
	struct progress *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	p->o = *o;
	/* What is over at once shows nothing that flickers. */
	p->drawn_at = now(p);
	*ret = p;
	return 0;
}

void progress_free(struct progress *p)
{
	if (!p)
		return;
	progress_hide(p);
	buf_done(&p->text);
	free(p);
}

static struct phase *at(struct progress *p, int phase)
{
	if (!p || phase < 0 || phase >= PROGRESS_PHASES || !p->phases[phase].doing)
		return NULL;
	return &p->phases[phase];
}

static int put_size(struct buf *b, uint64_t bytes)
{
	static const char *const units[] = { "kB", "MB", "GB", "TB" };
	double v = (double)bytes / 1000;
	size_t u = 0;

	if (bytes < 1000)
		return buf_addf(b, "%ju B", (uintmax_t)bytes);
	for (; v >= 999.5 && u + 1 < ARRAY_SIZE(units); u++)
		v /= 1000;
	return buf_addf(b, v < 9.95 ? "%.1f %s" : "%.0f %s", v, units[u]);
}

/* A live line has columns, a plain one words. */
static void put_counts(struct buf *b, const struct phase *ph, bool plain)
{
	const char *space = plain ? " " : "  ";
	bool one = MAX(ph->count, ph->total) == 1;

	if (ph->total && (!plain || ph->count != ph->total))
		(void)buf_addf(b, "%s%ju of %ju", space, (uintmax_t)ph->count, (uintmax_t)ph->total);
	else if (ph->count)
		(void)buf_addf(b, "%s%ju", space, (uintmax_t)ph->count);
	/* Of one without the plural's s. */
	if (plain && ph->noun && ph->count)
		(void)buf_addf(b, " %.*s", (int)strlen(ph->noun) - one, ph->noun);
	if (ph->bytes) {
		(void)buf_adds(b, "  ");
		(void)put_size(b, ph->bytes);
	}
	if (ph->rate) {
		(void)buf_adds(b, "  ");
		(void)put_size(b, ph->rate);
		(void)buf_adds(b, "/s");
	}
}

/* Cuts what was added since `from` to `columns`, counting code points and never leaving half of one;
 * wide characters are not expected in names and URLs. */
static void fit(struct buf *b, size_t from, unsigned columns)
{
	unsigned n = 0;
	size_t i = from;

	for (; i < b->len; i++)
		if (((unsigned char)b->data[i] & 0xc0) != 0x80 && ++n > columns)
			break;
	b->len = i;
	if (b->data)
		b->data[b->len] = '\0';
}

static void put_live(struct progress *p, const struct phase *ph, unsigned columns)
{
	size_t from;

	if (p->o.color)
		(void)buf_adds(&p->text, "\033[1m");
	from = p->text.len;
	(void)buf_adds(&p->text, ph->doing);
	fit(&p->text, from, columns);
	columns -= MIN(columns, (unsigned)(p->text.len - from));
	if (p->o.color)
		(void)buf_adds(&p->text, "\033[0m");
	from = p->text.len;
	put_counts(&p->text, ph, false);
	if (ph->waits[0])
		(void)buf_addf(&p->text, "  waiting for %s", ph->waits);
	fit(&p->text, from, columns);
}

static void flush(struct progress *p)
{
	(void)fd_write_all(p->o.fd, buf_text(&p->text), p->text.len);
	buf_reset(&p->text);
}

/* All live lines, each ended by a newline, and the cursor back at the first one's start. A line is kept
 * one column short, where some terminals would wrap already. */
static void draw(struct progress *p)
{
	unsigned columns = width(p);
	unsigned lines = 0;

	(void)buf_adds(&p->text, "\r\033[J");
	for (size_t i = 0; i < PROGRESS_PHASES; i++) {
		if (!p->phases[i].doing)
			continue;
		put_live(p, &p->phases[i], columns > 1 ? columns - 1 : 1);
		(void)buf_addc(&p->text, '\n');
		lines++;
	}
	if (lines)
		(void)buf_addf(&p->text, "\033[%uA", lines);
	p->drawn = lines;
	flush(p);
}

static void say_plain(struct progress *p, struct phase *ph, const char *verb)
{
	(void)buf_adds(&p->text, verb);
	put_counts(&p->text, ph, true);
	if (verb == ph->doing && ph->waits[0])
		(void)buf_addf(&p->text, "  waiting for %s", ph->waits);
	(void)buf_addc(&p->text, '\n');
	flush(p);
}

static void measure(struct phase *ph, uint64_t t)
{
	uint64_t ms = t - ph->rate_at;

	if (ms < RATE_MS)
		return;
	ph->rate = (ph->bytes - ph->rate_bytes) * 1000 / ms;
	ph->rate_at = t;
	ph->rate_bytes = ph->bytes;
}

void progress_tick(struct progress *p)
{
	uint64_t t;

	if (!p)
		return;
	t = now(p);
	for (size_t i = 0; i < PROGRESS_PHASES; i++) {
		struct phase *ph = &p->phases[i];

		if (!ph->doing)
			continue;
		measure(ph, t);
		if (!p->o.live && t - ph->said >= PLAIN_MS) {
			ph->said = t;
			say_plain(p, ph, ph->doing);
		}
	}
	if (p->o.live && t - p->drawn_at >= LIVE_MS) {
		p->drawn_at = t;
		draw(p);
	}
}

int progress_start(struct progress *p, const char *doing, const char *done, const char *noun)
{
	uint64_t t;

	if (!p)
		return -1;
	t = now(p);
	for (int i = 0; i < PROGRESS_PHASES; i++) {
		if (p->phases[i].doing)
			continue;
		p->phases[i] = (struct phase){ .doing = doing, .done = done, .noun = noun,
			.started = t, .said = t, .rate_at = t };
		progress_tick(p);
		return i;
	}
	return -1;
}

void progress_count(struct progress *p, int phase, uint64_t done, uint64_t total)
{
	struct phase *ph = at(p, phase);

	if (!ph)
		return;
	ph->count = done;
	ph->total = total;
	progress_tick(p);
}

void progress_bytes(struct progress *p, int phase, uint64_t bytes)
{
	struct phase *ph = at(p, phase);

	if (!ph)
		return;
	ph->bytes = MAX(bytes, ph->bytes);
	progress_tick(p);
}

/* Text from outside must not drive the terminal. */
void progress_waits(struct progress *p, int phase, const char *what)
{
	struct phase *ph = at(p, phase);
	size_t n = 0;

	if (!ph)
		return;
	for (; what && what[n] && n + 1 < WAITS_MAX; n++)
		ph->waits[n] = what[n] >= 0x20 && what[n] < 0x7f ? what[n] : '?';
	ph->waits[n] = '\0';
	progress_tick(p);
}

void progress_end(struct progress *p, int phase)
{
	struct phase *ph = at(p, phase);
	uint64_t ms;

	if (!ph)
		return;
	ms = now(p) - ph->started;
	progress_hide(p);
	/* The rate of the whole phase, where it lasted long enough to have one. */
	ph->rate = ms >= RATE_MS ? ph->bytes * 1000 / ms : 0;
	if (ph->done && (ph->count || ph->bytes))
		say_plain(p, ph, ph->done);
	ph->doing = NULL;
}

void progress_hide(struct progress *p)
{
	if (!p || !p->drawn)
		return;
	(void)buf_adds(&p->text, "\r\033[J");
	flush(p);
	p->drawn = 0;
}
