/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files whose bytes are linked in (Kbuild's <name>-embed). EMBED(path) declares them; in `path` every
 * character of the file's path that C does not allow in a name is an underscore. A NUL follows the
 * last byte.
 */
#ifndef CRATONS_PRIM_EMBED_H
#define CRATONS_PRIM_EMBED_H

#include "prim/str.h"

#define EMBED(path)                                                                                \
	extern const char EMBED_##path[] __attribute__((visibility("hidden")));                    \
	extern const char EMBED_##path##_end[] __attribute__((visibility("hidden")))

#define EMBEDDED(path) str_of(EMBED_##path, (size_t)(EMBED_##path##_end - EMBED_##path))

#endif
