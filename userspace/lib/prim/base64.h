/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Base64 (RFC 4648 section 4). */
#ifndef CRATONS_PRIM_BASE64_H
#define CRATONS_PRIM_BASE64_H

#include "prim/str.h"

#define BASE64_SIZE(n) (((n) + 2) / 3 * 4)	/* without the NUL */

/* Padded, and a NUL: `ret` takes BASE64_SIZE(len) + 1 bytes. */
void base64_encode(const void *bytes, size_t len, char *ret);

/* Also takes the URL-safe alphabet and a missing padding, as people write both: who needs one
 * spelling only encodes again and compares. `ret` takes text.n * 3 / 4 bytes. -EINVAL. */
int base64_decode(struct str text, void *ret, size_t *ret_len);

#endif
