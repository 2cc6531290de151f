/* SPDX-License-Identifier: GPL-2.0-or-later */
/* libseccomp, loaded when a profile is compiled: the ones that ship were when Cratons was built, so that
 * few runs need it. */
#ifndef CRATONS_ENGINE_SANDBOX_SECCOMP_LIB_H
#define CRATONS_ENGINE_SANDBOX_SECCOMP_LIB_H

#include "prim/diag.h"

/* <seccomp.h> has them; here it would be the header beside this one. */
struct scmp_arg_cmp;

/*	type, name without "seccomp_", parameters */
#define SECCOMP_SYMBOLS(X)                                                                         \
	X(void *, init, (uint32_t))                                                                \
	X(void, release, (void *))                                                                 \
	X(int, attr_set, (void *, unsigned, uint32_t))                                             \
	X(int, rule_add_array, (void *, uint32_t, int, unsigned, const struct scmp_arg_cmp *))     \
	X(int, export_bpf, (void *, int))                                                          \
	X(int, syscall_resolve_name, (const char *))                                               \
	X(char *, syscall_resolve_num_arch, (uint32_t, int))

struct seccomp_lib {
#define X(type, name, parameters) type(*name) parameters;
	SECCOMP_SYMBOLS(X)
#undef X
};

/* The filter's program; the caller frees its code. */
struct sock_fprog;
int seccomp_export(const struct seccomp_lib *lib, void *ctx, struct sock_fprog *ret);

/* The same table for every caller. -EOPNOTSUPP when there is no usable libseccomp. */
int seccomp_lib(const struct seccomp_lib **ret, struct diag *d);

#endif
