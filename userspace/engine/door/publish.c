// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/door/door-priv.h"

#include "prim/err.h"

#include <errno.h>

#define BACKLOG 1024

static int refuse(struct diag *d, const char *text)
{
	diag_fail(d, -ERR_USAGE, "'%s' names no port to publish", text);
	return diag_hint(d, "PORT, HOSTPORT:PORT, ADDRESS:HOSTPORT:PORT or [ADDRESS6]:HOSTPORT:PORT");
}

static int take_port(struct str *text, uint16_t *ret)
{
	size_t at = text->n;
	uint64_t v;

	while (at > 0 && text->p[at - 1] != ':')
		at--;
	if (text->n - at > 5 || str_u64(str_slice(*text, at, text->n), &v) < 0 || v == 0 || v > UINT16_MAX)
		return -EINVAL;
	*ret = (uint16_t)v;
	text->n = at ? at - 1 : 0;
	return 0;
}

int door_parse_publish(const char *text, struct door_publish *ret, struct diag *d)
{
	struct str rest = str_from(text);
	struct in6_addr address = inet_from4(INADDR_LOOPBACK);
	struct door_publish p = { 0 };
	uint16_t host;
	bool colon;

	if (take_port(&rest, &p.port) < 0)
		return refuse(d, text);
	host = p.port;
	colon = rest.p + rest.n < text + strlen(text) && rest.p[rest.n] == ':';
	if (colon && take_port(&rest, &host) < 0)
		return refuse(d, text);
	if (rest.n >= 2 && rest.p[0] == '[' && rest.p[rest.n - 1] == ']')
		rest = str_slice(rest, 1, rest.n - 1);
	else if (memchr(rest.p, ':', rest.n))
		return refuse(d, text);
	if ((rest.n || text[0] == ':' || text[0] == '[') && inet_parse(rest, &address) < 0)
		return refuse(d, text);
	inet_to_sockaddr(&address, host, &p.host);
	*ret = p;
	return 0;
}

static int refused(uint16_t port, const char *address, int error, struct diag *d)
{
	diag_errno(d, -error, "cannot publish port %u of %s", port, address);
	if (error == EACCES)
		return diag_hint(d, "HOSTPORT:%u takes another of the host's; those below "
			"net.ipv4.ip_unprivileged_port_start are root's", port);
	return error == EADDRINUSE ? diag_hint(d, "HOSTPORT:PORT takes another of the host's; who has this one "
		"says: ss -ltnp sport = :%u", port) : -error;
}

int publish_listen(const struct door_publish *p, struct diag *d)
{
	_cleanup_fd_ int fd = socket(p->host.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	char name[INET_TEXT];
	struct in6_addr a = { 0 };
	uint16_t port = 0;
	int on = 1;

	(void)inet_from_sockaddr((const struct sockaddr *)&p->host, &a, &port);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
		(p->host.ss_family == AF_INET6 &&
			setsockopt(fd, SOL_IPV6, IPV6_V6ONLY, &on, sizeof(on)) < 0) ||
		bind(fd, (const struct sockaddr *)&p->host, sizeof(p->host)) < 0 || listen(fd, BACKLOG) < 0)
		return refused(port, inet_text(&a, name), errno, d);
	return TAKE_FD(fd);
}
