/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Seccomp profiles: data (policies/seccomp/<name>.toml, linked in) and the two filter programs made
 * from one. The first lists calls by number only, so that the kernel can cache its answers and never
 * runs it for an allowed call; the second, which allows by default, looks at arguments. The kernel
 * takes the stricter answer of the two.
 */
#ifndef CRATONS_ENGINE_SANDBOX_SECCOMP_H
#define CRATONS_ENGINE_SANDBOX_SECCOMP_H

#include "base/arena.h"
#include "base/json.h"
#include "base/map.h"
#include "prim/diag.h"
#include "prim/vec.h"

#include <linux/filter.h>

enum seccomp_test { SECCOMP_ONE_OF, SECCOMP_NONE_OF, SECCOMP_ANY_BIT };

/* Looks at the low 32 bits of an argument. */
struct seccomp_condition {
	unsigned argument;
	enum seccomp_test test;
	VEC(uint32_t) values;
};

/* error 0: allowed. Conditions, all of which must hold, only where there is an error. */
struct seccomp_rule {
	int error;
	struct str why;
	VEC(struct str) calls;
	VEC(struct seccomp_condition) when;
};

struct seccomp_profile {
	struct arena arena;
	struct str name;
	int unknown;			/* errno for what is not listed */
	VEC(struct seccomp_rule) rules;	/* the base's first; a later one wins */
	struct map numbers;		/* call → number + 2, for this architecture */
};

/* -ERR_CONTAINER: there is no such profile, or it is not valid. */
int seccomp_profile_load(struct seccomp_profile *ret, const char *name, struct diag *d);
int seccomp_profile_parse(struct seccomp_profile *ret, struct str text, const char *file,
	struct diag *d);
void seccomp_profile_done(struct seccomp_profile *p);

#define SECCOMP_PROGRAMS 2

/* Makes the programs with libseccomp; the caller frees each .filter. To be installed in this order:
 * the last one no longer allows for another. */
int seccomp_compile(const struct seccomp_profile *p, struct sock_fprog ret[SECCOMP_PROGRAMS],
	struct diag *d);

/* The unconditional rule that decides about a call: NULL for one that is not listed. */
const struct seccomp_rule *seccomp_verdict(const struct seccomp_profile *p, struct str call);

#define SECCOMP_NAME_MAX 48

/* The name of this architecture's call of that number; false when the profile and libseccomp know none. */
bool seccomp_call_name(const struct seccomp_profile *p, int number, char ret[SECCOMP_NAME_MAX]);

/* A built-in profile's name, or the path of a file (something with a slash), compiled once to see that
 * it can be. */
int seccomp_profile_open(struct seccomp_profile *ret, const char *which, struct diag *d);

/* What a profile allows and refuses and why, for people and for programs. */
int seccomp_explain(const struct seccomp_profile *p, struct buf *ret);
void seccomp_explain_json(const struct seccomp_profile *p, struct json_out *o);

/* A compiled profile as it is linked in: the instructions follow, one program after the other. */
struct seccomp_blob {
	uint32_t length[SECCOMP_PROGRAMS];	/* in instructions */
	struct sock_filter code[];
};

/* The compiled programs of a built-in profile, borrowed: -ENOENT when there is no such. */
int seccomp_find(const char *name, struct sock_fprog ret[SECCOMP_PROGRAMS]);
/* Binds the calling thread, and what it starts, by system calls only. 0 or -errno. */
int seccomp_install(const struct sock_fprog programs[SECCOMP_PROGRAMS]);

#endif
