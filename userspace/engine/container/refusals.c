// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the network door refused, told to whoever ran the container: a program inside says only that a name
 * is unknown or a connection was reset. Read back from net.log when all is over; each thing once.
 */
#include "engine/container/container-priv.h"

#include "base/json.h"

#include <fcntl.h>

#define LOG_MAX	 (1u << 20)
#define TOLD_MAX 8

struct refusal {
	struct buf text;
	unsigned times;
};

struct refusals {
	struct refusal v[TOLD_MAX];
	size_t n;
	bool more;
};

static int describe(struct json line, struct buf *to)
{
	struct str name = json_str(json_get(line, "name")), address = json_str(json_get(line, "address"));
	int64_t port = 0;
	int r = buf_addstr(to, name.p ? name : address);

	/* The name was asked for by what is in the container: any bytes. */
	buf_disarm(to, 0, "");
	if (r == 0 && json_int(json_get(line, "port"), &port) == 0)
		r = buf_addf(to, " port %lld", (long long)port);
	if (r == 0 && name.p && address.p)
		r = buf_addf(to, " (%.*s)", STR_ARG(address));
	return r < 0 ? r : buf_addf(to, ": %.*s", STR_ARG(json_str(json_get(line, "reason"))));
}

static void count(struct refusals *all, struct buf *text)
{
	for (size_t i = 0; i < all->n; i++)
		if (str_eq(buf_str(&all->v[i].text), buf_str(text))) {
			all->v[i].times++;
			return;
		}
	if (all->n == TOLD_MAX) {
		all->more = true;
		return;
	}
	all->v[all->n++] = (struct refusal){ *text, 1 };
	*text = (struct buf)BUF_INIT;
}

static void take_line(struct refusals *all, struct str line)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	struct json_doc *doc;

	if (json_parse(&doc, line, "net.log", NULL) < 0)
		return;
	if (describe(json_root(doc), &text) == 0)
		count(all, &text);
	json_free(doc);
}

static void tell(const struct refusals *all, const struct container_spec *s)
{
	for (size_t i = 0; i < all->n; i++) {
		_cleanup_buf_ struct buf b = BUF_INIT;
		int r = buf_addf(&b, "the network refused %s", buf_text(&all->v[i].text));

		if (r == 0 && all->v[i].times > 1)
			r = buf_addf(&b, " (%u times)", all->v[i].times);
		if (r == 0)
			s->warn(s->warn_data, buf_text(&b));
	}
	if (all->more)
		s->warn(s->warn_data, "the network refused more than that");
}

void refusals_tell(int dir, const struct container_spec *s)
{
	_cleanup_buf_ struct buf log = BUF_INIT;
	struct refusals all = { .n = 0 };
	struct str rest;

	if (!s->warn || s->detach || file_slurp(dir, "net.log", &log, LOG_MAX) < 0)
		return;
	rest = buf_str(&log);
	while (rest.n)
		take_line(&all, str_cut(&rest, '\n'));
	tell(&all, s);
	for (size_t i = 0; i < all.n; i++)
		buf_done(&all.v[i].text);
}
