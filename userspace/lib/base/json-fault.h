/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CRATONS_BASE_JSON_FAULT_H
#define CRATONS_BASE_JSON_FAULT_H

#include "base/json-tape.h"
#include "prim/str.h"

/* Where a text that simdjson refused, which does not say it, stops being JSON (RFC 8259): the offset of the
 * first byte that cannot be there, or the text's length where something is missing. */
size_t json_fault(struct str text);

#endif
