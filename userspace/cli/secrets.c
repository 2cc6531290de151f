// SPDX-License-Identifier: GPL-2.0-or-later
#include "secrets.h"

#include "base/fd.h"
#include "base/mask.h"
#include "prim/err.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

struct secrets arg_secrets;

struct wish {
	struct str name, variable, path;
	bool file;
};

static bool is_name(struct str s, bool variable)
{
	for (size_t i = 0; i < s.n; i++) {
		bool letter = (s.p[i] | 0x20) >= 'a' && (s.p[i] | 0x20) <= 'z';
		bool digit = s.p[i] >= '0' && s.p[i] <= '9';

		if (!letter && s.p[i] != '_' && (!i || (!digit && (variable || (s.p[i] != '.' && s.p[i] != '-')))))
			return false;
	}
	return s.n > 0 && s.n <= 128;
}

static int refuse(struct cmd *c, const struct wish *w, const char *why)
{
	diag_fail(&c->diag, -ERR_USAGE, "--secret %.*s: %s", STR_ARG(w->name), why);
	return diag_hint(&c->diag, "--secret NAME[,env=VARIABLE|,file=PATH][,type=env|mount]; the value is never "
		"given here");
}

/* What is not as it should be may be a value ("NAME=value"): it is not printed. */
static int parse(struct cmd *c, const char *given, struct wish *ret)
{
	struct str rest = str_from(given);
	struct wish w = { .name = str_cut(&rest, ',') };

	if (!is_name(w.name, false)) {
		w.name = STR("NAME");
		return refuse(c, &w, "it begins with the secret's name, of letters, digits and _");
	}
	while (rest.p) {
		struct str value = str_cut(&rest, ','), key = str_cut(&value, '=');

		if (str_is(key, "env") && value.n && !w.path.p)
			w.variable = value;
		else if (str_is(key, "file") && value.n && !w.variable.p)
			w.path = value;
		else if (str_is(key, "type") && (str_is(value, "env") || str_is(value, "mount")))
			w.file = str_is(value, "mount");
		else
			return refuse(c, &w, "unknown, empty or too much after the name");
	}
	if (!w.path.p && !w.variable.p)
		w.variable = w.name;
	if (!w.file && !is_name(w.name, true))
		return refuse(c, &w, "it cannot be the name of a variable");
	*ret = w;
	return 0;
}

/* Nothing that is started from here on has it, and /proc no longer shows it as this process's. */
static struct str take_variable(const char *name)
{
	char *value = getenv(name);
	struct str copy = str_from(value ? strdup(value) : NULL);

	if (copy.p) {
		explicit_bzero(value, copy.n);
		unsetenv(name);
	}
	return copy;
}

static int read_variable(struct cmd *c, const struct wish *w, struct str *ret)
{
	_cleanup_free_ char *name = str_dup(w->variable);

	if (!name)
		return -ENOMEM;
	*ret = take_variable(name);
	if (ret->p)
		return 0;
	diag_fail(&c->diag, -ERR_USAGE, "--secret %.*s: there is no variable %s", STR_ARG(w->name), name);
	return diag_hint(&c->diag, "export it, or name a file: --secret %.*s,file=PATH", STR_ARG(w->name));
}

static int read_file(struct cmd *c, const struct wish *w, struct str *ret)
{
	_cleanup_free_ char *path = str_dup(w->path);
	struct buf b = BUF_INIT;	/* becomes the secret */
	int r = path ? file_slurp(AT_FDCWD, path, &b, MASK_VALUE_MAX + 2) : -ENOMEM;

	if (r < 0)
		return diag_errno(&c->diag, r, "--secret %.*s: cannot read %s", STR_ARG(w->name),
			path ? path : "it");
	*ret = buf_str(&b);
	return 0;
}

static bool is_of(const char *variable, struct str name)
{
	return strncmp(variable, name.p, name.n) == 0 && (variable[name.n] == '=' || !variable[name.n]);
}

static int read_one(struct cmd *c, const char *given, const struct opt_list *env)
{
	struct sandbox_secret *s = &arg_secrets.v[arg_secrets.n];
	struct wish w = { 0 };
	int r = parse(c, given, &w);

	if (r < 0)
		return r;
	for (size_t i = 0; i < arg_secrets.n; i++)
		if (str_is(w.name, arg_secrets.v[i].name))
			return refuse(c, &w, "there is another of that name");
	for (size_t i = 0; i < env->n && !w.file; i++)
		if (is_of(env->v[i], w.name))
			return refuse(c, &w, "--env has a variable of that name");
	r = w.path.p ? read_file(c, &w, &s->value) : read_variable(c, &w, &s->value);
	if (r < 0)
		return r;
	s->file = w.file;
	s->name = str_dup(w.name);
	arg_secrets.n++;
	return s->name ? 0 : -ENOMEM;
}

static int check_word(struct cmd *c, const char *word, const char *what)
{
	for (size_t i = 0; i < arg_secrets.n; i++) {
		struct str value = str_trim(arg_secrets.v[i].value);

		if (value.n < MASK_VALUE_MIN || !memmem(word, strlen(word), value.p, value.n))
			continue;
		diag_fail(&c->diag, -ERR_USAGE, "the value of the secret %s is in %s, which others can see",
			arg_secrets.v[i].name, what);
		return diag_hint(&c->diag, "let the program read it: sh -c '... \"$%s\"', in single quotes",
			arg_secrets.v[i].name);
	}
	return 0;
}

static int read_all(struct cmd *c, const struct opt_list *env)
{
	int r = 0;

	if (arg_secrets.wanted.n > SANDBOX_SECRETS_MAX)
		return diag_fail(&c->diag, -ERR_USAGE, "more than %d secrets", SANDBOX_SECRETS_MAX);
	for (size_t i = 0; i < arg_secrets.wanted.n && r == 0; i++)
		r = read_one(c, arg_secrets.wanted.v[i], env);
	for (size_t i = 0; i < env->n && r == 0; i++)
		r = check_word(c, env->v[i], "a variable of --env");
	return r;
}

int secrets_read(struct cmd *c, const struct opt_list *env)
{
	int r = arg_secrets.read ? 0 : read_all(c, env);

	arg_secrets.read = true;
	for (int i = 0; i < c->argc && r == 0; i++)
		r = check_word(c, c->argv[i], "the command's arguments");
	return r;
}
