// SPDX-License-Identifier: GPL-2.0-or-later
/* The door's resolver: any bytes give an answer that is one, or none. */
#include "dns.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum dns_code look_up(void *data, struct str name, struct dns_found *ret)
{
	if (name.n > DNS_NAME_MAX || memchr(name.p, '\0', name.n))
		abort();
	for (size_t i = 0; i < name.n; i++)
		if (name.p[i] >= 'A' && name.p[i] <= 'Z')
			abort();
	if (name.n % 3 == 0)
		return DNS_NO_NAME;
	ret->a = 0xc6120010;
	ret->has_aaaa = name.n % 2;
	return DNS_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t answer[DNS_MESSAGE_MAX];
	size_t n = dns_answer(data, size, look_up, NULL, answer);

	if (n == 0)
		return 0;
	if (n < 12 || n > DNS_MESSAGE_MAX || !(answer[2] & 0x80) || memcmp(answer, data, 2) != 0)
		abort();
	/* It says nothing at length: a resolver is not to amplify. */
	if (n > size + 64)
		abort();
	return 0;
}
