/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What may stand as a name in a manifest or a lockfile. Each becomes a file name or an argument
 * somewhere, so each rule holds whatever the ecosystem: an ecosystem's own rules come on top.
 */
#ifndef CRATONS_ENGINE_NAMES_H
#define CRATONS_ENGINE_NAMES_H

#include "prim/str.h"

#define NAME_MAX_BYTES 214	/* npm's */

/* "name" or "@scope/name": URL-safe characters, no part that begins with '.' or '-'. */
bool name_is_package(struct str s);

/* The name of a command: one part, not hidden, not an option. */
bool name_is_command(struct str s);

/* A version or what follows it in an id: URL-safe characters and '+'. */
bool name_is_version(struct str s);

/* A relative path that stays inside: no empty, "." or ".." part, no backslash or control character,
 * valid UTF-8, at most 4095 bytes. */
bool name_is_inner_path(struct str s);

/* Valid UTF-8 without control characters, 1 to `max` bytes: requirements, one-line texts. */
bool name_is_line(struct str s, size_t max);

/* http: or https: with a host, and no user, space or control character. */
bool name_is_url(struct str s);

#endif
