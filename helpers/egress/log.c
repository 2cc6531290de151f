// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Refusals, a JSON object a line, one write each. The container decides how many there are, so what comes
 * faster than LINES_A_SECOND is counted and told with the next line.
 */
#include "egress.h"

#include "base/quote.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define LINES_A_SECOND 20
#define BURST_LINES    200
#define BYTES_MAX      (16u << 20)	/* all that is written in a container's life */
#define LINE_MS	       (1000 / LINES_A_SECOND)

static bool may_write(struct log *l)
{
	uint64_t now = now_ms();

	l->credit_ms = MIN(l->credit_ms + (l->last_ms ? now - l->last_ms : BURST_LINES * LINE_MS),
		(uint64_t)BURST_LINES * LINE_MS);
	l->last_ms = now;
	if (l->credit_ms < LINE_MS) {
		l->suppressed++;
		return false;
	}
	l->credit_ms -= LINE_MS;
	return true;
}

static int add_line(struct buf *b, const struct log *l, struct str name, const struct in6_addr *address,
	uint16_t port, const char *reason)
{
	char text[INET_TEXT];
	struct timespec t;
	int r;

	clock_gettime(CLOCK_REALTIME, &t);
	r = buf_addf(b, "{\"time_ms\":%llu,\"event\":\"refused\",\"container\":",
		(unsigned long long)t.tv_sec * 1000 + (unsigned long long)t.tv_nsec / 1000000);
	if (r == 0)
		r = buf_add_quoted(b, str_from(l->container));
	if (r == 0 && name.n)
		r = buf_adds(b, ",\"name\":");
	if (r == 0 && name.n)
		r = buf_add_quoted(b, name);
	if (r == 0 && address)
		r = buf_addf(b, ",\"address\":\"%s\"", inet_text(address, text));
	if (r == 0 && port)
		r = buf_addf(b, ",\"port\":%u", port);
	if (r == 0)
		r = buf_addf(b, ",\"reason\":\"%s\"", reason);
	if (r == 0 && l->suppressed)
		r = buf_addf(b, ",\"suppressed\":%llu", (unsigned long long)l->suppressed);
	return r < 0 ? r : buf_adds(b, "}\n");
}

/* The kernel counts as well: a helper that was taken over cannot fill the disk by it. */
int log_bound(const struct log *l)
{
	struct rlimit limit;
	struct stat st;

	if (l->fd < 0)
		return 0;
	if (fstat(l->fd, &st) < 0 || getrlimit(RLIMIT_FSIZE, &limit) < 0)
		return -errno;
	limit.rlim_max = MIN(limit.rlim_max, (rlim_t)st.st_size + BYTES_MAX);
	limit.rlim_cur = MIN(limit.rlim_cur, limit.rlim_max);
	signal(SIGXFSZ, SIG_IGN);
	return setrlimit(RLIMIT_FSIZE, &limit) < 0 ? -errno : 0;
}

void log_refusal(struct egress *e, struct str name, const struct in6_addr *address, uint16_t port,
	const char *reason)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	if (e->log.fd < 0 || e->log.bytes >= BYTES_MAX || !may_write(&e->log))
		return;
	if (add_line(&b, &e->log, name, address, port, reason) < 0)
		return;
	e->log.bytes += b.len;
	if (write(e->log.fd, b.data, b.len) == (ssize_t)b.len)
		e->log.suppressed = 0;
}
