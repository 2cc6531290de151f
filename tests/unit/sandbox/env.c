// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/sandbox/sandbox.h"
#include "prim/err.h"

#include <criterion/criterion.h>
#include <signal.h>

static const char *find(const char *const *env, const char *name)
{
	size_t n = strlen(name);

	for (; *env; env++)
		if (strncmp(*env, name, n) == 0 && (*env)[n] == '=')
			return *env + n + 1;
	return NULL;
}

static const char *const *make(struct arena *a, const char *const *caller, const char *path)
{
	struct sandbox s = { .user = "ann", .home = "/home/ann" };
	const char *const *env = NULL;

	cr_assert_eq(sandbox_env_default(a, &s, path, caller, &env), 0);
	return env;
}

Test(env, passes_only_what_is_listed)
{
	_cleanup_arena_ struct arena a = ARENA_INIT;
	const char *const caller[] = { "NPM_TOKEN=x", "SSH_AUTH_SOCK=/s", "TERM=xterm", "LC_ALL=C",
		"TERMINFO=/x", "LC=1", "LD_PRELOAD=/x", "NODE_OPTIONS=-r", "https_proxy=h", "CI=1",
		"NOEQUALS", "=x", NULL };
	const char *const *env = make(&a, caller, NULL);
	size_t n = 0;

	while (env[n])
		n++;
	cr_assert_eq(n, 9);
	cr_assert_str_eq(find(env, "TERM"), "xterm");
	cr_assert_str_eq(find(env, "LC_ALL"), "C");
	cr_assert_str_eq(find(env, "CI"), "1");
}

Test(env, gives_the_containers_own_places)
{
	_cleanup_arena_ struct arena a = ARENA_INIT;
	const char *const caller[] = { "HOME=/root", "PATH=/evil", "USER=root", "SHELL=/x", NULL };
	const char *const *env = make(&a, caller, "/p/node_modules/.bin");

	cr_assert_str_eq(find(env, "HOME"), "/home/ann");
	cr_assert_str_eq(find(env, "USER"), "ann");
	cr_assert_str_eq(find(env, "TMPDIR"), "/tmp");
	cr_assert_str_eq(find(env, "SHELL"), "/bin/sh");
	cr_assert_eq(strncmp(find(env, "PATH"), "/p/node_modules/.bin:/usr/local/bin:", 36), 0);
	cr_assert_null(strstr(find(env, "PATH"), "evil"));
}

Test(env, drops_what_drives_a_terminal_or_is_too_long)
{
	_cleanup_arena_ struct arena a = ARENA_INIT;
	static char huge[8192] = "LANG=";
	const char *const caller[] = { "TERM=x\x1b[2J", "TZ=a\nb", huge, "LC_X=ok", NULL };
	const char *const *env;

	memset(huge + 5, 'x', sizeof(huge) - 6);
	env = make(&a, caller, NULL);
	cr_assert_null(find(env, "TERM"));
	cr_assert_null(find(env, "TZ"));
	cr_assert_null(find(env, "LANG"));
	cr_assert_str_eq(find(env, "LC_X"), "ok");
}

Test(env, no_caller_is_an_empty_one)
{
	_cleanup_arena_ struct arena a = ARENA_INIT;

	cr_assert_str_eq(find(make(&a, NULL, NULL), "USER"), "ann");
}

Test(run, exit_status_is_the_childs_or_128_and_the_signal)
{
	struct sandbox_result r = { .status = 7 << 8 };

	cr_assert_eq(sandbox_exit_status(&r), 7);
	r.status = SIGTERM;
	cr_assert_eq(sandbox_exit_status(&r), 143);
	r.status = SIGSEGV | 0x80;
	cr_assert_eq(sandbox_exit_status(&r), 139);
}
