// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * config-linux.md, "Seccomp": the bundle's filter is installed besides Cratons' own, and the kernel takes
 * the stricter answer of the two. So it can refuse more, and allow nothing that is refused here.
 */
#include "engine/oci/oci-priv.h"

#include "engine/sandbox/seccomp_lib.h"

#include <errno.h>
#include <seccomp.h>

#define AT "linux.seccomp"

struct filter {
	const struct seccomp_lib *lib;
	void *ctx;
	uint32_t otherwise;
};

static int get_action(struct oci *o, const char *name, uint64_t error, const char *field, uint32_t *ret)
{
	static const struct {
		const char *name;
		uint32_t action;
	} known[] = { { "SCMP_ACT_ALLOW", SCMP_ACT_ALLOW }, { "SCMP_ACT_LOG", SCMP_ACT_LOG },
		{ "SCMP_ACT_TRAP", SCMP_ACT_TRAP }, { "SCMP_ACT_KILL", SCMP_ACT_KILL_THREAD },
		{ "SCMP_ACT_KILL_THREAD", SCMP_ACT_KILL_THREAD },
		{ "SCMP_ACT_KILL_PROCESS", SCMP_ACT_KILL_PROCESS } };

	if (name && strcmp(name, "SCMP_ACT_ERRNO") == 0) {
		*ret = SCMP_ACT_ERRNO((uint32_t)error & 0xffff);
		/* With 0 a call that was not made seems to have been: also to cratons-init, which protects
		 * itself behind this filter. */
		return error > 0 && error < 4096 ? 0 : oci_refuse(o, field, "its error is out of range");
	}
	for (size_t i = 0; name && i < ARRAY_SIZE(known); i++)
		if (strcmp(known[i].name, name) == 0) {
			*ret = known[i].action;
			return 0;
		}
	return oci_refuse(o, field, name ? "cannot be had: a tracer or a listener would answer" :
		"is missing");
}

static int get_comparison(struct oci *o, struct json v, const char *at, struct scmp_arg_cmp *ret)
{
	static const char *const names[] = { [SCMP_CMP_NE] = "SCMP_CMP_NE", [SCMP_CMP_LT] = "SCMP_CMP_LT",
		[SCMP_CMP_LE] = "SCMP_CMP_LE", [SCMP_CMP_EQ] = "SCMP_CMP_EQ", [SCMP_CMP_GE] = "SCMP_CMP_GE",
		[SCMP_CMP_GT] = "SCMP_CMP_GT", [SCMP_CMP_MASKED_EQ] = "SCMP_CMP_MASKED_EQ" };
	uint64_t index = 6, value = 0, second = 0;
	const char *op;
	int r = oci_text(o, v, at, "op", &op);

	if (r == 0)
		r = oci_number(o, v, at, "index", &index);
	if (r < 0)
		return r;
	if (json_u64(json_get(v, "value"), &value) < 0)
		return oci_refuse(o, oci_below(o, at, "value"), "is not a number of 64 bits");
	if (!oci_says_nothing(json_get(v, "valueTwo")) && json_u64(json_get(v, "valueTwo"), &second) < 0)
		return oci_refuse(o, oci_below(o, at, "valueTwo"), "is not a number of 64 bits");
	if (index > 5)
		return oci_refuse(o, oci_below(o, at, "index"), "is not 0 to 5");
	for (size_t i = 1; op && i < ARRAY_SIZE(names); i++)
		if (strcmp(names[i], op) == 0) {
			*ret = (struct scmp_arg_cmp){ (unsigned)index, (enum scmp_compare)i, value, second };
			return 0;
		}
	return oci_refuse(o, oci_below(o, at, "op"), "is no comparison");
}

/* All of a rule's must hold; but of several of one argument, one: so it has been read since runc. */
static int add_call(const struct filter *f, int call, uint32_t action, const struct scmp_arg_cmp *args,
	unsigned n)
{
	unsigned seen = 0;
	bool twice = false;
	int r = 0;

	for (unsigned i = 0; i < n; i++) {
		twice |= seen >> args[i].arg & 1;
		seen |= 1u << args[i].arg;
	}
	if (!twice)
		return f->lib->rule_add_array(f->ctx, action, call, n, args);
	for (unsigned i = 0; i < n && r == 0; i++)
		r = f->lib->rule_add_array(f->ctx, action, call, 1, &args[i]);
	return r;
}

/* An errno for what gives none (config-linux.md: "the runtime MUST return an error"). */
static int check_errno(struct oci *o, struct json v, const char *at, const char *name, const char *action)
{
	if (oci_says_nothing(json_get(v, name)) || strcmp(action, "SCMP_ACT_ERRNO") == 0)
		return 0;
	return oci_refuse(o, oci_below(o, at, name), "is for SCMP_ACT_ERRNO alone");
}

static int add_rule(struct oci *o, struct filter *f, struct json v, const char *at)
{
	struct scmp_arg_cmp args[6];
	const char *const *names = NULL, *name;
	uint64_t error = EPERM;
	uint32_t action = 0;
	size_t count = 0;
	unsigned n = 0;
	int r = oci_texts(o, json_get(v, "names"), oci_below(o, at, "names"), &names, &count);

	if (r == 0)
		r = oci_text(o, v, at, "action", &name);
	if (r == 0)
		r = oci_number(o, v, at, "errnoRet", &error);
	if (r == 0)
		r = get_action(o, name, error, oci_below(o, at, "action"), &action);
	if (r == 0)
		r = check_errno(o, v, at, "errnoRet", name);
	if (r == 0 && count == 0)
		r = oci_refuse(o, oci_below(o, at, "names"), "is empty");
	if (r == 0)
		r = oci_kind(o, json_get(v, "args"), JSON_ARRAY, oci_below(o, at, "args"));
	json_foreach(i, json_get(v, "args")) {
		if (r == 0 && n == ARRAY_SIZE(args))
			r = oci_refuse(o, oci_below(o, at, "args"), "has more than six");
		if (r == 0)
			r = get_comparison(o, i.value, oci_at(o, oci_below(o, at, "args"), n), &args[n]);
		n++;
	}
	for (size_t i = 0; r == 0 && i < count && action != f->otherwise; i++) {
		int call = f->lib->syscall_resolve_name(names[i]);

		/* Names of other architectures, and of a later kernel than libseccomp knows. */
		if (call < 0)
			continue;
		r = add_call(f, call, action, args, n);
		if (r < 0 && r != -EEXIST)
			return oci_refuse(o, at, "libseccomp does not take it");
		r = 0;
	}
	return r;
}

static int add_rules(struct oci *o, struct filter *f, struct json list)
{
	int r = oci_kind(o, list, JSON_ARRAY, AT ".syscalls");
	size_t n = 0;

	/* Calls of another architecture are refused by the other filter. */
	if (r == 0 && (f->lib->attr_set(f->ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ALLOW) < 0 ||
			f->lib->attr_set(f->ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2) < 0))
		r = oci_refuse(o, AT, "libseccomp is too old");
	json_foreach(i, list)
		if (r == 0)
			r = add_rule(o, f, i.value, oci_at(o, AT ".syscalls", n++));
	return r;
}

static int compile(struct oci *o, struct filter *f, struct json list)
{
	struct sock_fprog program = { 0 };
	struct sock_filter *code;
	int r = add_rules(o, f, list);

	if (r == 0 && seccomp_export(f->lib, f->ctx, &program) < 0)
		r = oci_refuse(o, AT, "is too large to compile");
	if (r < 0)
		return r;
	code = arena_newn(o->arena, struct sock_filter, program.len);
	if (code)
		memcpy(code, program.filter, program.len * sizeof(*code));
	free(program.filter);
	o->spec->sandbox.seccomp_besides = (struct sock_fprog){ program.len, code };
	return code ? 0 : diag_fail(o->d, -ENOMEM, "out of memory");
}

/* Ours denies what is of another architecture; a filter's flags are not set, of which two would be seen. */
static int check_flags(struct oci *o, struct json v)
{
	static const char *const so[] = { "SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV" },
		*const not[] = { "SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW" };
	const char *const *words = NULL;
	size_t n = 0;
	int r = oci_texts(o, json_get(v, "architectures"), AT ".architectures", &words, &n);

	for (size_t i = 0; i < n && r == 0; i++)
		if (strncmp(words[i], "SCMP_ARCH_", 10) != 0)
			r = oci_refuse(o, oci_at(o, AT ".architectures", i), "is no architecture");
	if (r == 0)
		r = oci_texts(o, json_get(v, "flags"), AT ".flags", &words, &n);
	for (size_t i = 0; r == 0 && i < n; i++) {
		const char *at = oci_at(o, AT ".flags", i);

		if (strcmp(words[i], not[0]) == 0 || strcmp(words[i], not[1]) == 0)
			oci_warn(o, at, "is not set");
		else if (strcmp(words[i], so[0]) != 0 && strcmp(words[i], so[1]) != 0)
			r = oci_refuse(o, at, "is no flag");
	}
	return r;
}

int oci_seccomp(struct oci *o, struct json v)
{
	struct filter f = { 0 };
	uint64_t error = EPERM;
	const char *name;
	int r = oci_kind(o, v, JSON_OBJECT, AT);

	if (r < 0 || json_kind(v) == JSON_NOTHING)
		return r;
	r = oci_text(o, v, AT, "defaultAction", &name);
	if (r == 0)
		r = oci_number(o, v, AT, "defaultErrnoRet", &error);
	if (r == 0)
		r = get_action(o, name, error, AT ".defaultAction", &f.otherwise);
	if (r == 0)
		r = check_errno(o, v, AT, "defaultErrnoRet", name);
	if (r == 0)
		r = check_flags(o, v);
	if (r == 0)
		r = oci_unsupported(o, v, AT, "listenerPath", "nobody outside answers calls");
	if (r == 0)
		r = seccomp_lib(&f.lib, o->d);
	if (r < 0)
		return r;
	f.ctx = f.lib->init(f.otherwise);
	if (!f.ctx)
		return diag_fail(o->d, -ENOMEM, "out of memory");
	r = compile(o, &f, json_get(v, "syscalls"));
	f.lib->release(f.ctx);
	return r;
}
