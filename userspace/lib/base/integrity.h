/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Subresource Integrity strings (https://www.w3.org/TR/SRI/), as registries give them: one or more
 * of "sha512-<base64>", "sha384-", "sha256-", "sha1-", separated by spaces. Only the strongest
 * algorithm present counts; any of its digests may match. Unknown algorithms are ignored, and a
 * string without a known one is malformed.
 */
#ifndef CRATONS_BASE_INTEGRITY_H
#define CRATONS_BASE_INTEGRITY_H

#include "prim/diag.h"
#include "prim/str.h"

enum integrity_strength {
	INTEGRITY_NONE,
	INTEGRITY_SHA1,		/* broken; accepted only where the registry has nothing better */
	INTEGRITY_SHA256,
	INTEGRITY_SHA384,
	INTEGRITY_SHA512,
};

/* The strongest algorithm of the string, INTEGRITY_NONE when it is malformed. */
enum integrity_strength integrity_strength(struct str sri);

/* 0, -ERR_INTEGRITY (with both digests in the diagnostic) or -ERR_NO_INTEGRITY when malformed. */
int integrity_check(struct str sri, const void *bytes, size_t len, struct diag *d);

/* "sha1-<base64>" from the hexadecimal that old metadata carries (dist.shasum): -EINVAL. */
int integrity_from_sha1_hex(struct str hex, struct buf *ret);

#endif
