// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/fetch/curl-load.h"

#include "prim/attr.h"
#include "prim/err.h"

#include <dlfcn.h>
#include <pthread.h>

/* Written once, under pthread_once: libcurl's own state is the process's too. */
static struct {
	pthread_once_t once;
	struct curl_api api;
	const char *missing;	/* what could not be found, or NULL */
} curl = { .once = PTHREAD_ONCE_INIT, .missing = "libcurl.so.4" };

static void load(void)
{
	static const struct {
		const char *name;
		size_t at;
	} symbols[] = {
#define X(type, name, parameters) { "curl_" #name, offsetof(struct curl_api, name) },
		CURL_SYMBOLS(X)
#undef X
	};
	void *lib = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);

	if (!lib)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(symbols); i++) {
		void *symbol = dlsym(lib, symbols[i].name);

		if (!symbol) {
			curl.missing = symbols[i].name;
			return;
		}
		memcpy((char *)&curl.api + symbols[i].at, &symbol, sizeof(symbol));
	}
	curl.missing = curl.api.global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ?
		NULL : "curl_global_init";
}

int curl_load(const struct curl_api **ret, struct diag *d)
{
	pthread_once(&curl.once, load);
	if (curl.missing) {
		diag_fail(d, -ERR_NETWORK, "libcurl cannot be loaded (%s)", curl.missing);
		diag_hint(d, "install libcurl 7.85 or later (Debian: libcurl4)");
		return -ERR_NETWORK;
	}
	*ret = &curl.api;
	return 0;
}
