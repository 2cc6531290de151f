// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/sandbox/seccomp.h"

#include "base/fd.h"
#include "engine/sandbox/seccomp_lib.h"
#include "prim/err.h"

#include <errno.h>
#include <seccomp.h>
#include <stdio.h>
#include <sys/mman.h>

/* A kernel limit, BPF_MAXINSNS. */
#define PROGRAM_MAX (4096 * sizeof(struct sock_filter))

/* What a rule looks at: per condition a list of comparisons of which one must hold. */
struct comparisons {
	VEC(struct scmp_arg_cmp) v;
};

/* What compiles: the library's functions and the profile. */
struct compiler {
	const struct seccomp_lib *lib;
	const struct seccomp_profile *p;
};

/* Negative, as libseccomp's for calls of other architectures, and none of those. */
#define NOT_HERE (-99999)

static int call_number(const struct compiler *c, struct str name)
{
	uintptr_t given = (uintptr_t)map_get(&c->p->numbers, name);
	int number = c->lib->syscall_resolve_name(name.p);

	if (number != __NR_SCMP_ERROR || !given)
		return number;
	return given == 1 ? NOT_HERE : (int)given - 2;
}

bool seccomp_call_name(const struct seccomp_profile *p, int number, char ret[SECCOMP_NAME_MAX])
{
	const struct seccomp_lib *lib;
	_cleanup_free_ char *known = seccomp_lib(&lib, NULL) == 0 ?
		lib->syscall_resolve_num_arch(SCMP_ARCH_NATIVE, number) : NULL;

	if (known) {
		snprintf(ret, SECCOMP_NAME_MAX, "%s", known);
		return true;
	}
	map_foreach(e, &p->numbers)
		if ((intptr_t)e->value - 2 == number) {
			snprintf(ret, SECCOMP_NAME_MAX, "%.*s", STR_ARG(e->key));
			return true;
		}
	return false;
}

static int compare(struct comparisons *c, unsigned argument, uint32_t mask, uint32_t value)
{
	return vec_push(&c->v, SCMP_CMP(argument, SCMP_CMP_MASKED_EQ, mask, value & mask));
}

/*
 * All values but the listed: the values that agree with one of the list down to a bit, differ in that
 * bit, and of which no other of the list can be one. Each such prefix is one masked comparison,
 * which looks at 32 bits only, however the rest of the register is filled.
 */
static int compare_none_of(struct comparisons *to, const struct seccomp_condition *c)
{
	int r = 0;

	vec_foreach(value, &c->values) {
		for (uint32_t bit = 1; bit && r == 0; bit <<= 1) {
			uint32_t mask = ~(bit - 1), other = *value ^ bit;
			bool taken = false;

			vec_foreach(v, &c->values)
				taken |= (*v & mask) == (other & mask);
			vec_foreach(e, &to->v)
				taken |= e->datum_a == mask && e->datum_b == (other & mask);
			if (!taken)
				r = compare(to, c->argument, mask, other);
		}
	}
	return r;
}

static int compare_condition(struct comparisons *to, const struct seccomp_condition *c)
{
	int r = 0;

	if (c->test == SECCOMP_NONE_OF)
		return compare_none_of(to, c);
	vec_foreach(value, &c->values) {
		if (c->test == SECCOMP_ONE_OF)
			r = r < 0 ? r : compare(to, c->argument, UINT32_MAX, *value);
		for (uint32_t bit = 1; c->test == SECCOMP_ANY_BIT && bit && r == 0; bit <<= 1)
			if (*value & bit)
				r = compare(to, c->argument, bit, bit);
	}
	return r;
}

#define CONDITIONS_MAX 3

/* Every choice of one comparison from each condition is a rule of libseccomp's. */
static int add_choices(const struct compiler *k, scmp_filter_ctx ctx, int number, int error,
	const struct comparisons *c, size_t n)
{
	size_t at[CONDITIONS_MAX] = { 0 }, i;
	struct scmp_arg_cmp chosen[CONDITIONS_MAX];
	int r;

	do {
		for (i = 0; i < n; i++)
			chosen[i] = c[i].v.v[at[i]];
		r = k->lib->rule_add_array(ctx, SCMP_ACT_ERRNO((unsigned)error), number,
			(unsigned)n, chosen);
		for (i = 0; i < n && ++at[i] == c[i].v.n; i++)
			at[i] = 0;
	} while (r == 0 && i < n);
	return r;
}

static int add_conditional(const struct compiler *k, scmp_filter_ctx ctx,
	const struct seccomp_rule *rule)
{
	struct comparisons c[CONDITIONS_MAX] = { 0 };
	size_t n = rule->when.n;
	int r = n > CONDITIONS_MAX ? -ERR_LIMIT : 0;

	for (size_t i = 0; i < n && r == 0; i++)
		r = compare_condition(&c[i], &rule->when.v[i]);
	vec_foreach(call, &rule->calls) {
		int number = call_number(k, *call);

		if (number != __NR_SCMP_ERROR && number >= 0 && r == 0)
			r = add_choices(k, ctx, number, rule->error, c, n);
	}
	for (size_t i = 0; i < CONDITIONS_MAX; i++)
		vec_done(&c[i].v);
	return r;
}

const struct seccomp_rule *seccomp_verdict(const struct seccomp_profile *p, struct str call)
{
	const struct seccomp_rule *found = NULL;	/* the last that names it */

	vec_foreach(rule, &p->rules)
		vec_foreach(c, &rule->calls)
			if (!rule->when.n && str_eq(*c, call))
				found = rule;
	return found;
}

static int add_listed(const struct compiler *k, scmp_filter_ctx ctx, const struct seccomp_rule *rule)
{
	const struct seccomp_profile *p = k->p;
	int r = 0;

	vec_foreach(call, &rule->calls) {
		int number = call_number(k, *call);
		uint32_t action = rule->error ? SCMP_ACT_ERRNO((unsigned)rule->error) : SCMP_ACT_ALLOW;

		/* Negative numbers stand for calls that this architecture does not have. */
		if (number < 0 || rule->error == p->unknown || seccomp_verdict(p, *call) != rule || r < 0)
			continue;
		r = k->lib->rule_add_array(ctx, action, number, 0, NULL);
		if (r == -EEXIST)
			r = 0;
	}
	return r;
}

int seccomp_export(const struct seccomp_lib *lib, void *ctx, struct sock_fprog *ret)
{
	_cleanup_fd_ int fd = memfd_create("seccomp", MFD_CLOEXEC);
	_cleanup_buf_ struct buf b = BUF_INIT;
	int r = fd < 0 ? -errno : lib->export_bpf(ctx, fd);

	if (r == 0 && lseek(fd, 0, SEEK_SET) < 0)
		r = -errno;
	if (r == 0)
		r = fd_slurp(fd, &b, PROGRAM_MAX);
	if (r < 0)
		return r;
	ret->len = (unsigned short)(b.len / sizeof(struct sock_filter));
	ret->filter = (struct sock_filter *)buf_take(&b);
	return ret->filter ? 0 : -ENOMEM;
}

static int fill(const struct compiler *k, scmp_filter_ctx ctx, bool conditional)
{
	int r = k->lib->attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO((unsigned)k->p->unknown));

	if (r == 0)
		r = k->lib->attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, conditional ? 1 : 2);
	vec_foreach(rule, &k->p->rules)
		if (r == 0 && conditional == !!rule->when.n)
			r = conditional ? add_conditional(k, ctx, rule) : add_listed(k, ctx, rule);
	return r;
}

static int make_program(const struct compiler *k, bool conditional, struct sock_fprog *ret)
{
	scmp_filter_ctx ctx = k->lib->init(conditional ? SCMP_ACT_ALLOW :
		SCMP_ACT_ERRNO((unsigned)k->p->unknown));
	int r = ctx ? fill(k, ctx, conditional) : -ENOMEM;

	if (r == 0)
		r = seccomp_export(k->lib, ctx, ret);
	if (ctx)
		k->lib->release(ctx);
	return r;
}

/* A name that is misspelt would refuse nothing. */
static int check_names(const struct compiler *k, struct diag *d)
{
	vec_foreach(rule, &k->p->rules)
		vec_foreach(call, &rule->calls)
			if (call_number(k, *call) == __NR_SCMP_ERROR)
				return diag_fail(d, -ERR_CONTAINER, "seccomp profile '%.*s': no call "
					"'%.*s' is known: give its number", STR_ARG(k->p->name),
					STR_ARG(*call));
	return 0;
}

int seccomp_compile(const struct seccomp_profile *p, struct sock_fprog ret[SECCOMP_PROGRAMS],
	struct diag *d)
{
	struct sock_fprog programs[SECCOMP_PROGRAMS] = { 0 };
	struct compiler k = { .p = p };
	int r = seccomp_lib(&k.lib, d);

	if (r == 0)
		r = check_names(&k, d);
	if (r < 0)
		return r;
	r = make_program(&k, true, &programs[0]);
	if (r == 0)
		r = make_program(&k, false, &programs[1]);
	if (r < 0) {
		free(programs[0].filter);
		return diag_errno(d, r, "cannot compile the seccomp profile '%.*s'", STR_ARG(p->name));
	}
	memcpy(ret, programs, sizeof(programs));
	return 0;
}
