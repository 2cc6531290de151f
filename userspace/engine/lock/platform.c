// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/lock/lockfile.h"

#include <features.h>

/*
 * npm's rule (npm-install-checks): a name that is refused ("!win32") decides; else one of the names
 * that are allowed must be this one, unless there are only refusals. "any" alone allows all.
 */
static bool list_allows(const struct str *list, size_t n, struct str mine)
{
	size_t refusals = 0;
	bool match = false;

	if (n == 0 || (n == 1 && str_is(list[0], "any")))
		return true;
	for (size_t i = 0; i < n; i++) {
		if (str_starts(list[i], STR("!"))) {
			if (str_eq(str_slice(list[i], 1, list[i].n), mine))
				return false;
			refusals++;
		} else if (str_eq(list[i], mine)) {
			match = true;
		}
	}
	return match || refusals == n;
}

bool lock_platform_allows(const struct lock_platform *p, const struct platform *host)
{
	return list_allows(p->os, p->nos, host->os) && list_allows(p->cpu, p->ncpu, host->cpu) &&
	       list_allows(p->libc, p->nlibc, host->libc);
}

/* In Node's words (process.platform, process.arch). */
struct platform platform_host(void)
{
	return (struct platform){
		.os = STR("linux"),
#if defined(__x86_64__)
		.cpu = STR("x64"),
#elif defined(__aarch64__)
		.cpu = STR("arm64"),
#elif defined(__riscv)
		.cpu = STR("riscv64"),
#elif defined(__powerpc64__)
		.cpu = STR("ppc64"),
#elif defined(__s390x__)
		.cpu = STR("s390x"),
#elif defined(__loongarch64)
		.cpu = STR("loong64"),
#elif defined(__arm__)
		.cpu = STR("arm"),
#elif defined(__i386__)
		.cpu = STR("ia32"),
#endif
#ifdef __GLIBC__
		.libc = STR("glibc"),
#else
		.libc = STR("musl"),
#endif
	};
}
