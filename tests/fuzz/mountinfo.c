// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Input: a mountinfo. What must hold: however it is cut, the answer is the same; no more is counted than
 * there are lines; a mount is a user's only if it is one of Cratons.
 */
#include "helpers/mountd/mountinfo.h"

#include "prim/attr.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mountinfo whole = { .id = 30, .uid = 1000 }, cut = whole;
	unsigned lines = 0;

	mountinfo_feed(&whole, (const char *)data, size);
	for (size_t i = 0, n; i < size; i += n) {
		n = MIN((size_t)data[i] % 7 + 1, size - i);
		mountinfo_feed(&cut, (const char *)data + i, n);
	}
	for (size_t i = 0; i < size; i++)
		lines += data[i] == '\n';
	assert(whole.found == cut.found && whole.kind == cut.kind && whole.parent == cut.parent &&
		whole.of_user == cut.of_user && whole.children == cut.children && whole.users == cut.users &&
		whole.all == cut.all);
	assert(whole.users <= whole.all && whole.all <= lines && whole.children <= lines);
	assert(!whole.of_user || (whole.found && whole.kind == MOUNT_CRATONS && whole.users > 0));
	return 0;
}
