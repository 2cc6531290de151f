/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between json.c and simdjson: a parsed document as the two arrays that simdjson's DOM parser leaves
 * (https://github.com/simdjson/simdjson/blob/v3.0.1/doc/tape.md). Each tape word has its kind in the
 * top byte and an index or offset below; strings are a 32-bit length, the bytes, a NUL.
 */
#ifndef CRATONS_BASE_JSON_TAPE_H
#define CRATONS_BASE_JSON_TAPE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define JSON_TAPE_DEPTH 256

enum json_tape_error {
	JSON_TAPE_OK,
	JSON_TAPE_SYNTAX,
	JSON_TAPE_STRING,	/* a bad escape, such as half of a surrogate pair */
	JSON_TAPE_DEPTH_ERROR,
	JSON_TAPE_MEMORY,
	JSON_TAPE_LIBRARY,	/* simdjson cannot be loaded */
};

struct json_tape {
	const uint64_t *tape;
	const uint8_t *strings;
	void *owner;
};

/* Fills ret on success. On failure `message` is a sentence: a constant, never NULL. */
enum json_tape_error json_tape_parse(const char *text, size_t len, struct json_tape *ret,
	const char **message);
void json_tape_free(struct json_tape *t);

#ifdef __cplusplus
}
#endif

#endif
