// SPDX-License-Identifier: GPL-2.0-or-later
/* The environment that a container starts from: what is not listed here does not exist inside. */
#include "engine/sandbox/sandbox-priv.h"

#include <errno.h>

/* Names taken over from the caller, sorted. Nothing here names a person, a path, a host or a secret. */
static const char *const taken[] = { "CI", "CLICOLOR", "CLICOLOR_FORCE", "COLORTERM", "COLUMNS",
	"FORCE_COLOR", "LANG", "LANGUAGE", "LINES", "NO_COLOR", "TERM", "TZ" };
#define STANDARD_PATH "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"
#define VALUE_MAX     4096

/* A value passes when it is short and has no control characters: it will be printed by somebody. */
static bool is_plain(struct str value)
{
	if (value.n > VALUE_MAX)
		return false;
	for (size_t i = 0; i < value.n; i++)
		if ((unsigned char)value.p[i] < ' ' || value.p[i] == 0x7f)
			return false;
	return true;
}

static bool is_taken(struct str name)
{
	if (str_starts(name, STR("LC_")))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(taken); i++)
		if (str_is(name, taken[i]))
			return true;
	return false;
}

static size_t take(const char *const *caller, const char **env)
{
	size_t n = 0;

	for (; caller && *caller; caller++) {
		struct str value = str_from(*caller), name = str_cut(&value, '=');

		if (is_taken(name) && value.p && is_plain(value))
			env[n++] = *caller;
	}
	return n;
}

int sandbox_env_default(struct arena *a, const struct sandbox *s, const char *path,
	const char *const *caller, const char *const **ret)
{
	const char *user = s->user ? s->user : "user";
	size_t n = 0, all = 0;
	const char **env;

	while (caller && caller[all])
		all++;
	env = arena_newn(a, const char *, all + 8);
	if (!env)
		return -ENOMEM;
	n = take(caller, env);
	env[n++] = arena_fmt(a, "PATH=%s%s" STANDARD_PATH, path ? path : "", path ? ":" : "").p;
	env[n++] = arena_fmt(a, "HOME=%s", s->home ? s->home : "/").p;
	env[n++] = arena_fmt(a, "USER=%s", user).p;
	env[n++] = arena_fmt(a, "LOGNAME=%s", user).p;
	env[n++] = "SHELL=/bin/sh";
	env[n++] = "TMPDIR=/tmp";
	for (size_t i = 0; i < n; i++)
		if (!env[i])
			return -ENOMEM;
	*ret = env;
	return 0;
}

static bool same_name(const char *a, const char *b)
{
	size_t n = strcspn(a, "=");

	return strncmp(a, b, n + 1) == 0;
}

int sandbox_env_add(struct arena *a, const char *const *base, const char *const *extra,
	const char *const **ret)
{
	static const char *const none[] = { NULL };
	size_t n = 0, nbase = 0, nextra = 0;
	const char **all;

	extra = extra ? extra : none;
	while (base[nbase])
		nbase++;
	while (extra[nextra])
		nextra++;
	all = arena_newn(a, const char *, nbase + nextra + 1);
	if (!all)
		return -ENOMEM;
	for (size_t i = 0; i < nextra; i++)
		all[n++] = extra[i];
	for (size_t i = 0; i < nbase; i++) {
		bool replaced = false;

		for (size_t j = 0; j < nextra; j++)
			replaced |= same_name(base[i], extra[j]);
		if (!replaced)
			all[n++] = base[i];
	}
	*ret = all;
	return 0;
}
