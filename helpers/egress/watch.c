// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Connections and datagrams to ports where nothing listens, which the kernel refuses by itself: seen only to
 * be told. What is read here is a packet as a program made it, at most EGRESS_WATCH_BYTES of its headers.
 */
#include "egress.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#define PACKETS_A_TURN 64
#define HEADER6	       40

struct seen {
	struct in6_addr to;
	uint8_t protocol;
	uint16_t port;
};

static bool parse(const uint8_t *p, size_t n, struct seen *ret)
{
	size_t header;
	uint32_t to;

	if (n < 20)
		return false;
	if (p[0] >> 4 == 4) {
		header = (size_t)(p[0] & 15) * 4;
		memcpy(&to, p + 16, sizeof(to));
		*ret = (struct seen){ inet_from4(ntohl(to)), p[9] };
	} else {
		header = HEADER6;
		if (p[0] >> 4 != 6 || n < HEADER6)
			return false;
		ret->protocol = p[6];
		memcpy(&ret->to, p + 24, sizeof(ret->to));
	}
	if (header < 20 || n < header + 4)
		return false;
	ret->port = (uint16_t)(p[header + 2] << 8 | p[header + 3]);
	return true;
}

static void tell(struct egress *e, const struct seen *s)
{
	int64_t number = pool_number(&s->to);
	struct name *name = number < 0 ? NULL : names_find(&e->names, (uint32_t)MIN(number, EGRESS_NAMES));
	struct str text = name ? str_of(name->text, name->length) : (struct str){ 0 };
	struct rule *rule = name ? policy_knows(&e->policy, text) : NULL;

	if (s->protocol == IPPROTO_TCP && door_has_port(e, s->port))
		return;	/* who accepts it judges it */
	if (rule)
		atomic_fetch_add(&rule->counts.refused, 1);
	log_refusal(e, text, name ? NULL : &s->to, s->port, s->protocol == IPPROTO_TCP ?
		"the port is not granted" : "only TCP is granted");
}

void watch_read(void *data, int fd, unsigned events)
{
	struct egress *e = data;
	uint8_t packet[EGRESS_WATCH_BYTES];
	struct seen s = { 0 };

	for (int i = 0; i < PACKETS_A_TURN; i++) {
		ssize_t n = recv(fd, packet, sizeof(packet), 0);

		if (n < 0)
			return;
		if (parse(packet, (size_t)n, &s))
			tell(e, &s);
	}
}
