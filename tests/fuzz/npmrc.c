// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Input: a .npmrc, then after a line "----" one URL a line. What must hold: no credential for a URL
 * that is neither https nor loopback, no control character in one, none left by redaction.
 */
#include "engine/fetch/credentials.h"
#include "engine/fetch/url.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_header(const struct credentials *c, const char *url, const char *header)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct url u;

	assert(url_parse(&u, str_from(url)) == 0);
	assert(u.https || url_is_loopback(&u));
	for (const char *p = header; *p; p++)
		assert((unsigned char)*p >= ' ');
	assert(buf_addf(&b, "<%s>", header) == 0);
	credentials_redact(c, &b);
	assert(!strstr(buf_text(&b), header));
}

static void ask(const struct credentials *c, struct str url)
{
	_cleanup_free_ char *text = str_dup(url);
	_cleanup_buf_ struct buf redacted = BUF_INIT;
	const char *header;

	assert(text);
	header = credentials_for(c, text);
	if (header)
		check_header(c, text, header);
	assert(credentials_registry(c, STR("npm"), url, "otherwise"));
	assert(url_redact(url, &redacted) == 0);
	assert(redacted.len <= url.n + 4);
}

static void try(struct str npmrc, struct str urls, bool trusted)
{
	_cleanup_(credentials_free_p) struct credentials *c = NULL;
	_cleanup_diag_ struct diag d = DIAG_INIT;

	if (credentials_new(&c) < 0)
		return;
	if (credentials_npmrc(c, npmrc, "npmrc", trusted, &d) < 0)
		assert(d.code < 0 && d.where.len);
	while (urls.p)
		ask(c, str_cut(&urls, '\n'));
	if (!trusted)
		assert(!credentials_proxy(c, true) && !credentials_cafile(c) &&
		       !credentials_ca(c) && credentials_verify_tls(c));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str all = str_of(data, size), npmrc = all, urls = { NULL, 0 };
	const char *cut = size ? memmem(data, size, "\n----\n", 6) : NULL;

	if (cut) {
		npmrc = str_slice(all, 0, (size_t)(cut - all.p));
		urls = str_slice(all, npmrc.n + 6, size);
	}
	setenv("CRATONS_FUZZ", "h.example", 1);
	try(npmrc, urls, true);
	try(npmrc, urls, false);
	return 0;
}
