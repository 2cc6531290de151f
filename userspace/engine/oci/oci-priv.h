/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CRATONS_ENGINE_OCI_PRIV_H
#define CRATONS_ENGINE_OCI_PRIV_H

#include "base/json.h"
#include "engine/oci/oci.h"
#include "prim/err.h"
#include "prim/vec.h"

struct oci {
	struct arena *arena;
	struct container_spec *spec;
	struct diag *d;
	const char *bundle;	/* without links */
	const char *const *apart;
	VEC(struct sandbox_bind) binds;
	VEC(struct sandbox_rlimit) rlimits;
};

/* Refuses a field: "config.json: <field>: <why>". */
int oci_refuse(struct oci *o, const char *field, const char *why);
void oci_warn(struct oci *o, const char *field, const char *why);

/* "<field>[<i>]" and "<field>.<name>", in the arena; "" for lack of memory. */
const char *oci_at(struct oci *o, const char *field, size_t i);
const char *oci_below(struct oci *o, const char *field, const char *name);

/* The member as a copy with a NUL, NULL where it is not there: -ERR_CONTAINER when it is no string, is
 * empty though it may not be, or has a NUL in it. */
int oci_text(struct oci *o, struct json object, const char *field, const char *name, const char **ret);
/* A whole number of 0 or more; left alone where there is none. */
int oci_number(struct oci *o, struct json object, const char *field, const char *name, uint64_t *ret);
/* Refuses the member if it is there and says something: is not null, false, 0, "", [] or {}. */
int oci_unsupported(struct oci *o, struct json object, const char *field, const char *name,
	const char *why);
bool oci_says_nothing(struct json v);
/* Is a JSON of that kind, or is not there. */
int oci_kind(struct oci *o, struct json v, enum json_kind kind, const char *field);
/* A list of strings, NULL-terminated, in the arena. */
int oci_texts(struct oci *o, struct json list, const char *field, const char *const **ret, size_t *ret_n);

/* A character device that every container has, by its numbers. */
bool oci_has_device(struct json v);

int oci_mounts(struct oci *o, struct json list);
int oci_linux(struct oci *o, struct json linux_);
int oci_seccomp(struct oci *o, struct json v);
int oci_resources(struct oci *o, struct json r);

#endif
