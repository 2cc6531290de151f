/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libcurl, loaded when it is first needed: with the forty libraries that Debian's build brings along
 * it takes several times as long to load as a command that has nothing to fetch takes to run.
 */
#ifndef CRATONS_ENGINE_FETCH_CURL_LOAD_H
#define CRATONS_ENGINE_FETCH_CURL_LOAD_H

#include "prim/diag.h"

/* Its macros would check the arguments of calls by name; ours go through the table below. */
#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>

/*	type, name without "curl_", parameters */
#define CURL_SYMBOLS(X)                                                                            \
	X(CURLcode, global_init, (long))                                                           \
	X(curl_version_info_data *, version_info, (CURLversion))                                   \
	X(time_t, getdate, (const char *, const time_t *))                                         \
	X(struct curl_slist *, slist_append, (struct curl_slist *, const char *))                  \
	X(void, slist_free_all, (struct curl_slist *))                                             \
	X(CURL *, easy_init, (void))                                                               \
	X(void, easy_reset, (CURL *))                                                              \
	X(void, easy_cleanup, (CURL *))                                                            \
	X(CURLcode, easy_setopt, (CURL *, CURLoption, ...))                                        \
	X(CURLcode, easy_getinfo, (CURL *, CURLINFO, ...))                                         \
	X(const char *, easy_strerror, (CURLcode))                                                 \
	X(CURLM *, multi_init, (void))                                                             \
	X(CURLMcode, multi_cleanup, (CURLM *))                                                     \
	X(CURLMcode, multi_setopt, (CURLM *, CURLMoption, ...))                                    \
	X(CURLMcode, multi_add_handle, (CURLM *, CURL *))                                          \
	X(CURLMcode, multi_remove_handle, (CURLM *, CURL *))                                       \
	X(CURLMcode, multi_socket_action, (CURLM *, curl_socket_t, int, int *))                    \
	X(CURLMsg *, multi_info_read, (CURLM *, int *))                                            \
	X(CURLSH *, share_init, (void))                                                            \
	X(CURLSHcode, share_setopt, (CURLSH *, CURLSHoption, ...))                                 \
	X(CURLSHcode, share_cleanup, (CURLSH *))

struct curl_api {
#define X(type, name, parameters) type(*name) parameters;
	CURL_SYMBOLS(X)
#undef X
};

/* The same table for every caller, for as long as the process lives. -ERR_NETWORK when there is no
 * usable libcurl. */
int curl_load(const struct curl_api **ret, struct diag *d);

#endif
