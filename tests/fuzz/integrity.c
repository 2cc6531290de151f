// SPDX-License-Identifier: GPL-2.0-or-later
/* Input: an integrity string. It matches the empty content only if it holds one of its digests. */
#include "base/integrity.h"
#include "prim/err.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Of no bytes, weakest first. */
static const char *const empty[] = {
	"sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=",
	"sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
	"sha384-OLBgp1GsljhM2TJ+sbHjaiH9txEUvgdDTAzHv2P24donTt6/529l+9Ua0vFImLlb",
	"sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==",
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str sri = str_of(data, size);
	enum integrity_strength strength = integrity_strength(sri);
	_cleanup_diag_ struct diag d = DIAG_INIT;
	_cleanup_buf_ struct buf made = BUF_INIT;
	int r = integrity_check(sri, "", 0, &d);

	assert((r == -ERR_NO_INTEGRITY) == (strength == INTEGRITY_NONE));
	assert(r == 0 || (r == d.code && d.what.len));
	if (r == 0) {
		const char *digest = empty[strength - INTEGRITY_SHA1];

		assert(memmem(data, size, digest, strlen(digest)));
	}
	if (integrity_from_sha1_hex(sri, &made) == 0)
		assert(size == 40 && integrity_strength(buf_str(&made)) == INTEGRITY_SHA1);
	return 0;
}
