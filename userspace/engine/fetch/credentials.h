/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where registries are and what opens them: .npmrc of the user and of the project (the later wins),
 * cratons.toml's [registries] over both, the environment's proxy variables. Keys as npm documents
 * them (https://docs.npmjs.com/cli/configuring-npm/npmrc): registry, @scope:registry,
 * //host/path/:_authToken, :_auth, :username, :_password, cafile, ca, strict-ssl, proxy, https-proxy,
 * noproxy; ${VAR} from the environment.
 */
#ifndef CRATONS_ENGINE_CREDENTIALS_H
#define CRATONS_ENGINE_CREDENTIALS_H

#include "engine/manifest/manifest.h"

struct credentials;
int credentials_new(struct credentials **ret);
void credentials_free(struct credentials *c);
DEFINE_CLEANUP(struct credentials *, credentials_free);

/* Reads one .npmrc; `name` for diagnostics (-ERR_CONFIG with name:line). `trusted` is false for a
 * project's file: the project's file may name registries and hold credentials for them, but may not
 * set proxies or certificate authorities, nor expand ${VAR} into a registry's URL. */
int credentials_npmrc(struct credentials *c, struct str text, const char *name, bool trusted,
	struct diag *d);
/* ~/.npmrc, project's .npmrc (project_fd), then the manifest's [registries], which may be NULL. */
int credentials_load(struct credentials **ret, int project_fd, const struct manifest *m,
	struct diag *d);

/* The registry for a package's name (by its scope), with '/' at its end. Never NULL. */
const char *credentials_registry(const struct credentials *c, struct str ecosystem, struct str name,
	const char *otherwise);

/* The registries that were named somewhere, by number: false past the last. `scope` "" is an
 * ecosystem's default. */
bool credentials_registry_at(const struct credentials *c, size_t i, struct str *ecosystem,
	struct str *scope, const char **url);

/* The Authorization header's value for a URL, or NULL: the longest //host/path/ prefix that matches
 * on a path boundary, same port, https only unless the host is loopback. */
const char *credentials_for(const struct credentials *c, const char *url);
/* The variable that a credential for this URL should have come from, had it been set; or NULL. */
const char *credentials_unset(const struct credentials *c, const char *url);

const char *credentials_cafile(const struct credentials *c);	/* or NULL */
const char *credentials_ca(const struct credentials *c);	/* PEM text, or NULL */
bool credentials_verify_tls(const struct credentials *c);
const char *credentials_proxy(const struct credentials *c, bool https);
/* Where it listens: libcurl's default for its scheme where the URL names none. */
uint16_t credentials_proxy_port(const struct credentials *c, bool https);
const char *credentials_noproxy(const struct credentials *c);

/* Replaces every secret that occurs in the text by "***". */
void credentials_redact(const struct credentials *c, struct buf *text);

#endif
