// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/sandbox/seccomp_lib.h"

#include "prim/attr.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>

#define LIBRARY "libseccomp.so.2"

/* Written once, under pthread_once. */
static struct {
	pthread_once_t once;
	struct seccomp_lib lib;
	const char *missing;	/* what could not be found, or NULL */
} seccomp = { .once = PTHREAD_ONCE_INIT, .missing = LIBRARY };

static void load(void)
{
	static const struct {
		const char *name;
		size_t at;
	} symbols[] = {
#define X(type, name, parameters) { "seccomp_" #name, offsetof(struct seccomp_lib, name) },
		SECCOMP_SYMBOLS(X)
#undef X
	};
	void *lib = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);

	if (!lib)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(symbols); i++) {
		void *symbol = dlsym(lib, symbols[i].name);

		if (!symbol) {
			seccomp.missing = symbols[i].name;
			return;
		}
		memcpy((char *)&seccomp.lib + symbols[i].at, &symbol, sizeof(symbol));
	}
	seccomp.missing = NULL;
}

int seccomp_lib(const struct seccomp_lib **ret, struct diag *d)
{
	pthread_once(&seccomp.once, load);
	if (seccomp.missing) {
		diag_fail(d, -EOPNOTSUPP, "libseccomp cannot be loaded (%s)", seccomp.missing);
		return diag_hint(d, "install libseccomp 2.5 or later (Debian: libseccomp2)");
	}
	*ret = &seccomp.lib;
	return 0;
}
