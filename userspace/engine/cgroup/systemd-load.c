// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/cgroup/systemd-load.h"

#include "prim/attr.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>

/* Written once, under pthread_once. */
static struct {
	pthread_once_t once;
	struct systemd_api api;
	const char *missing;	/* what could not be found, or NULL */
} systemd = { .once = PTHREAD_ONCE_INIT, .missing = "libsystemd.so.0" };

static void load(void)
{
	static const struct {
		const char *name;
		size_t at;
	} symbols[] = {
#define X(type, name, parameters) { "sd_bus_" #name, offsetof(struct systemd_api, name) },
		SYSTEMD_SYMBOLS(X)
#undef X
	};
	void *lib = dlopen("libsystemd.so.0", RTLD_NOW | RTLD_LOCAL);

	if (!lib)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(symbols); i++) {
		void *symbol = dlsym(lib, symbols[i].name);

		if (!symbol) {
			systemd.missing = symbols[i].name;
			return;
		}
		memcpy((char *)&systemd.api + symbols[i].at, &symbol, sizeof(symbol));
	}
	systemd.missing = NULL;
}

int systemd_load(const struct systemd_api **ret, struct diag *d)
{
	pthread_once(&systemd.once, load);
	if (systemd.missing) {
		diag_fail(d, -EOPNOTSUPP, "libsystemd cannot be loaded (%s)", systemd.missing);
		return diag_hint(d, "install libsystemd 240 or later (Debian: libsystemd0)");
	}
	*ret = &systemd.api;
	return 0;
}
