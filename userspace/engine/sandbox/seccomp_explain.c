// SPDX-License-Identifier: GPL-2.0-or-later
/* A profile said in words: each rule with its reason, in the profile's order, as it counts in the end. */
#include "engine/sandbox/seccomp.h"

#include "prim/err.h"

#define COLUMN 10
#define WIDTH  96

static const char *const tests[] = { [SECCOMP_ONE_OF] = "one_of", [SECCOMP_NONE_OF] = "none_of",
	[SECCOMP_ANY_BIT] = "any_bit" };
static const char *const words[] = { [SECCOMP_ONE_OF] = "is one of", [SECCOMP_NONE_OF] = "is none of",
	[SECCOMP_ANY_BIT] = "has a bit of" };

/* A later profile may have decided otherwise about a call. Conditions add up. */
static bool counts(const struct seccomp_profile *p, const struct seccomp_rule *rule, struct str call)
{
	return rule->when.n || seccomp_verdict(p, call) == rule;
}

static bool is_empty(const struct seccomp_profile *p, const struct seccomp_rule *rule)
{
	vec_foreach(call, &rule->calls)
		if (counts(p, rule, *call))
			return false;
	return true;
}

static int say_calls(const struct seccomp_profile *p, const struct seccomp_rule *rule, struct buf *to)
{
	size_t column = WIDTH;
	int r = 0;

	vec_foreach(call, &rule->calls) {
		if (!counts(p, rule, *call) || r < 0)
			continue;
		if (column + 1 + call->n > WIDTH) {
			r = buf_addf(to, "\n%*s", COLUMN - 1, "");
			column = COLUMN - 1;
		}
		if (r == 0)
			r = buf_addf(to, " %.*s", STR_ARG(*call));
		column += 1 + call->n;
	}
	return r;
}

static int say_conditions(const struct seccomp_rule *rule, struct buf *to)
{
	int r = 0;

	vec_foreach(c, &rule->when) {
		if (r == 0)
			r = buf_addf(to, "\n%*s %s argument %u %s", COLUMN - 1, "",
				c == rule->when.v ? "when" : "and", c->argument, words[c->test]);
		vec_foreach(value, &c->values)
			if (r == 0)
				r = buf_addf(to, " 0x%x", *value);
	}
	return r;
}

static int say_rule(const struct seccomp_profile *p, const struct seccomp_rule *rule, struct buf *to)
{
	int r = buf_addf(to, "\n%-*s%.*s", COLUMN, rule->error ? err_name(rule->error) : "allow",
		STR_ARG(rule->why));

	if (r == 0)
		r = say_calls(p, rule, to);
	if (r == 0)
		r = say_conditions(rule, to);
	return r == 0 ? buf_addc(to, '\n') : r;
}

int seccomp_explain(const struct seccomp_profile *p, struct buf *ret)
{
	int r = buf_addf(ret, "%.*s: what is not listed gives %s\n", STR_ARG(p->name),
		err_name(p->unknown));

	vec_foreach(rule, &p->rules)
		if (r == 0 && !is_empty(p, rule))
			r = say_rule(p, rule, ret);
	return r;
}

static void put_conditions(const struct seccomp_rule *rule, struct json_out *o)
{
	json_out_key(o, "when");
	json_out_open(o, '[');
	vec_foreach(c, &rule->when) {
		json_out_open(o, '{');
		json_out_key(o, "argument");
		json_out_int(o, c->argument);
		json_out_key(o, tests[c->test]);
		json_out_open(o, '[');
		vec_foreach(value, &c->values)
			json_out_int(o, *value);
		json_out_close(o, ']');
		json_out_close(o, '}');
	}
	json_out_close(o, ']');
}

static void put_rule(const struct seccomp_profile *p, const struct seccomp_rule *rule, struct json_out *o)
{
	json_out_open(o, '{');
	json_out_key(o, "error");
	json_out_text(o, rule->error ? err_name(rule->error) : NULL);
	json_out_key(o, "why");
	json_out_str(o, rule->why);
	json_out_key(o, "calls");
	json_out_open(o, '[');
	vec_foreach(call, &rule->calls)
		if (counts(p, rule, *call))
			json_out_str(o, *call);
	json_out_close(o, ']');
	if (rule->when.n)
		put_conditions(rule, o);
	json_out_close(o, '}');
}

void seccomp_explain_json(const struct seccomp_profile *p, struct json_out *o)
{
	json_out_open(o, '{');
	json_out_key(o, "profile");
	json_out_str(o, p->name);
	json_out_key(o, "unlisted");
	json_out_text(o, err_name(p->unknown));
	json_out_key(o, "rules");
	json_out_open(o, '[');
	vec_foreach(rule, &p->rules)
		if (!is_empty(p, rule))
			put_rule(p, rule, o);
	json_out_close(o, ']');
	json_out_close(o, '}');
}
