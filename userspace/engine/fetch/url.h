/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The parts of an http or https URL that decide where credentials go. Stricter than RFC 3986 on
 * purpose: what two parsers could read differently (user information, backslashes, odd hosts) is
 * refused, so that libcurl never goes to another host than the one that was judged here.
 */
#ifndef CRATONS_ENGINE_FETCH_URL_H
#define CRATONS_ENGINE_FETCH_URL_H

#include "prim/buf.h"

#define URL_MAX 8192

struct url {
	bool https;
	struct str host;	/* as written; with its brackets when it is an IPv6 address */
	uint16_t port;		/* the scheme's own where none is written */
	bool has_port;
	struct str path;	/* without query and fragment; may be empty */
};

/* Borrows `text`. -EINVAL; -EACCES when the only fault is user information ("user:secret@"). */
int url_parse(struct url *ret, struct str text);

bool url_same_host(const struct url *a, const struct url *b);	/* and port */
bool url_same_origin(const struct url *a, const struct url *b);	/* and scheme */
bool url_is_loopback(const struct url *u);

/* For messages: without user information, query and fragment, whatever the text is. */
int url_redact(struct str text, struct buf *ret);

#endif
