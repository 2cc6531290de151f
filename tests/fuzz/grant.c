// SPDX-License-Identifier: GPL-2.0-or-later
/* Network grants: what is accepted is found again by what it says. */
#include "engine/door/grant.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct grants g = { 0 };

	if (grants_add(&g, str_of(data, size), NULL) == 0) {
		const struct grant *it = &g.v.v[0];
		uint16_t port = it->ports[0].from;

		if (it->kind == GRANT_NAME && grants_find_name(&g, it->name, port) != it)
			abort();
		if (it->kind == GRANT_NET && it->bits == 128 && grants_find_address(&g, &it->net, port) != it)
			abort();
		if (it->kind == GRANT_BELOW && grants_find_name(&g, it->name, port))
			abort();
	}
	grants_done(&g);
	return 0;
}
