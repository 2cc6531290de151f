/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What reading (credentials-read.c) leaves for answering (credentials.c). */
#ifndef CRATONS_ENGINE_FETCH_CREDENTIALS_PRIV_H
#define CRATONS_ENGINE_FETCH_CREDENTIALS_PRIV_H

#include "engine/fetch/credentials.h"
#include "engine/fetch/url.h"
#include "prim/vec.h"

struct registry {
	struct str ecosystem, scope;	/* scope "@acme", or "" */
	const char *url;
};

/* What one "//host:port/path/" opens with. `path` may end with '/' or not: both spellings exist. */
struct opener {
	struct url at;
	struct str token, basic, user, password;
	const char *header;	/* NULL while incomplete */
	struct str unset;	/* the variable that it should come from, or .p == NULL */
};

/* Strings live in the arena. A proxy of "" is "none, whatever the environment says". */
struct credentials {
	struct arena arena;
	VEC(struct registry) registries;
	VEC(struct opener) openers;
	VEC(struct url) known;	/* hosts that the user's own files name */
	VEC(struct str) secrets;
	const char *cafile, *ca;
	const char *proxy, *https_proxy, *noproxy;
	bool insecure;
};

/* Adds or replaces: -EINVAL when the URL is none that is taken. */
int credentials_set_registry(struct credentials *c, struct str ecosystem, struct str scope,
	struct str url, bool trusted);
/* Checks a proxy's URL and keeps its password as a secret. -EINVAL. `value` is in the arena. */
int credentials_parse_proxy(struct credentials *c, struct str value, const char **ret);

#endif
