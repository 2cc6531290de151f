// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/run/place.h"

#include "prim/err.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

/* `path` itself, or below it. Both are absolute and without links. */
static bool holds(const char *path, const char *other)
{
	size_t n = strlen(path);

	if (n == 1)
		return true;
	return strncmp(path, other, n) == 0 && (other[n] == '\0' || other[n] == '/');
}

static int check_system(const struct project *p, struct diag *d)
{
	static const char *const system[] = { "/bin", "/boot", "/dev", "/etc", "/lib", "/proc", "/run",
		"/sbin", "/sys", "/usr", "/var" };

	for (size_t i = 0; i < ARRAY_SIZE(system); i++)
		if (holds(p->path, system[i])) {
			diag_fail(d, -ERR_CONTAINER, "the project %s holds the system's %s: its container "
				"could write that", p->path, system[i]);
			return diag_hint(d, "move " MANIFEST_NAME " into a directory of its own");
		}
	return 0;
}

static int check_home(const struct project *p, const char *user_home, struct diag *d)
{
	_cleanup_free_ char *real = user_home ? realpath(user_home, NULL) : NULL;

	if (!real || !holds(p->path, real))
		return 0;
	diag_fail(d, -ERR_CONTAINER, "the project %s holds the home directory %s: its container could "
		"read and write all that is in it", p->path, real);
	return diag_hint(d, "move " MANIFEST_NAME " into a directory of its own; --expose-home does it "
		"all the same");
}

/* What runs could rename a directory above the store, and put a store of its own at its place. */
static int check_store(const struct project *p, bool *ret_cover, struct diag *d)
{
	_cleanup_free_ char *real = realpath(p->home, NULL);
	size_t n = strlen(p->path);

	*ret_cover = false;
	if (!real || !holds(p->path, real))
		return 0;
	if (real[n] == '/' && !strchr(real + n + 1, '/')) {
		*ret_cover = true;
		return 0;
	}
	diag_fail(d, -ERR_CONTAINER, "the store %s is inside the project %s, whose container could "
		"replace it", real, p->path);
	return diag_hint(d, "set CRATONS_HOME to a directory outside the project, or directly in it");
}

int run_check_place(const struct project *p, const char *user_home, bool allow_home,
	bool *ret_cover, struct diag *d)
{
	int r = check_system(p, d);

	if (r == 0 && !allow_home)
		r = check_home(p, user_home, d);
	return r < 0 ? r : check_store(p, ret_cover, d);
}
