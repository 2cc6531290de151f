// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/fetch/credentials.h"
#include "base/fd.h"
#include "prim/err.h"
#include "tests/unit/scratch.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

static struct credentials *new_credentials(void)
{
	struct credentials *c;

	cr_assert_eq(credentials_new(&c), 0);
	return c;
}

static int read_text(struct credentials *c, const char *text, bool trusted, struct diag *d)
{
	return credentials_npmrc(c, str_from(text), trusted ? "~/.npmrc" : ".npmrc", trusted, d);
}

static const char *or_none(const char *s)
{
	return s ? s : "(none)";
}

/* Which credential goes to which URL. */
static const struct {
	const char *npmrc, *url, *header;
} openings[] = {
	{ "//h/:_authToken=t", "https://h/x", "Bearer t" },
	{ "//h/:_authToken=t", "https://h", "Bearer t" },
	{ "//h/:_authToken=t", "https://H:443/x", "Bearer t" },
	{ "//h:_authToken=t", "https://h/x", "Bearer t" },
	{ "  //h/:_authToken  =  t  ", "https://h/x", "Bearer t" },
	{ "//h/:_authToken=\"t\"", "https://h/x", "Bearer t" },
	{ "//h/:_authToken='t'", "https://h/x", "Bearer t" },
	{ "//h/:_authToken=a;b", "https://h/x", "Bearer a" },
	{ "//h/:_authToken=a\\;b", "https://h/x", "Bearer a;b" },
	{ "//h/:_authToken=a=b=", "https://h/x", "Bearer a=b=" },
	{ "//h/:_authToken=old\n//h/:_authToken=new", "https://h/x", "Bearer new" },
	/* another host, port or scheme */
	{ "//h/:_authToken=t", "https://h.evil/x", NULL },
	{ "//h/:_authToken=t", "https://evil.example/h/x", NULL },
	{ "//h/:_authToken=t", "https://h:444/x", NULL },
	{ "//h:444/:_authToken=t", "https://h:444/x", "Bearer t" },
	{ "//h:444/:_authToken=t", "https://h/x", NULL },
	{ "//h:443/:_authToken=t", "https://h/x", "Bearer t" },
	{ "//h/:_authToken=t", "http://h/x", NULL },
	{ "//localhost:4873/:_authToken=t", "http://localhost:4873/x", "Bearer t" },
	{ "//127.0.0.1:4873/:_authToken=t", "http://127.0.0.1:4873/x", "Bearer t" },
	{ "//h/:_authToken=t", "https://user:p@h/x", NULL },
	{ "//h/:_authToken=t", "https://h\\@evil/x", NULL },
	/* paths: the longest that ends at a boundary */
	{ "//h/a/:_authToken=t", "https://h/a/b", "Bearer t" },
	{ "//h/a/:_authToken=t", "https://h/a/", "Bearer t" },
	{ "//h/a/:_authToken=t", "https://h/a", NULL },
	{ "//h/a:_authToken=t", "https://h/a", "Bearer t" },
	{ "//h/a:_authToken=t", "https://h/a/b", "Bearer t" },
	{ "//h/a:_authToken=t", "https://h/ab", NULL },
	{ "//h/a/:_authToken=t", "https://h/ab", NULL },
	{ "//h/a/:_authToken=t", "https://h/b", NULL },
	{ "//h/a/:_authToken=t", "https://h/A/b", NULL },
	{ "//h/:_authToken=all\n//h/a/:_authToken=a", "https://h/a/b", "Bearer a" },
	{ "//h/a/:_authToken=a\n//h/:_authToken=all", "https://h/a/b", "Bearer a" },
	{ "//h/a/:_authToken=a\n//h/:_authToken=all", "https://h/b", "Bearer all" },
	{ "//h/a/:_authToken=t", "https://h/b?/a/", NULL },
	{ "//h/a/:_authToken=t", "https://h/a/../b", NULL },
	{ "//h/a/:_authToken=t", "https://h/a/%2e%2E/b", NULL },
	{ "//h/a/:_authToken=t", "https://h/a/.%2e", NULL },
	{ "//h/a/:_authToken=t", "https://h/a/./b", NULL },
	{ "//h/a/:_authToken=t", "https://h/a/..b/...", "Bearer t" },
	/* the other kinds, in npm's order */
	{ "//h/:_auth=dTpw", "https://h/", "Basic dTpw" },
	{ "//h/:username=u\n//h/:_password=cA==", "https://h/", "Basic dTpw" },
	{ "//h/:username=u", "https://h/", NULL },
	{ "//h/:_password=cA==", "https://h/", NULL },
	{ "//h/:_auth=x\n//h/:_authToken=t", "https://h/", "Bearer t" },
	{ "//h/:username=u\n//h/:_password=cA==\n//h/:_auth=x", "https://h/", "Basic x" },
	{ "//h/a/:username=u\n//h/:_authToken=t", "https://h/a/b", "Bearer t" },
	{ "//h/:email=x\n//h/:always-auth=true", "https://h/", NULL },
	/* variables */
	{ "//h/:_authToken=${CRATONS_T}", "https://h/", "Bearer secret-value" },
	{ "//h/:_authToken=x${CRATONS_T}y", "https://h/", "Bearer xsecret-valuey" },
	{ "//${CRATONS_HOST}/:_authToken=t", "https://h.example/", "Bearer t" },
	{ "//h/:_authToken=${CRATONS_UNSET}", "https://h/", NULL },
	{ "//h/:_authToken=${CRATONS_UNSET?}t", "https://h/", "Bearer t" },
	{ "//h/:_authToken=\\${CRATONS_T}", "https://h/", "Bearer ${CRATONS_T}" },
	{ "//h/:_authToken=$CRATONS_T", "https://h/", "Bearer $CRATONS_T" },
	/* what is no credential */
	{ "# //h/:_authToken=t", "https://h/", NULL },
	{ " ; //h/:_authToken=t", "https://h/", NULL },
	{ "[section]\n//h/:_authToken=t", "https://h/", NULL },
	{ "\xef\xbb\xbf//h/:_authToken=t", "https://h/", "Bearer t" },
	{ "\r\n//h/:_authToken=t\r\n", "https://h/", "Bearer t" },
	{ "//h/:_authToken=", "https://h/", NULL },
};

static void set_environment(void)
{
	setenv("CRATONS_T", "secret-value", 1);
	setenv("CRATONS_HOST", "h.example", 1);
	setenv("CRATONS_EVIL", "x\r\nInjected: 1", 1);
	unsetenv("CRATONS_UNSET");
}

Test(credentials, go_to_their_place_only)
{
	set_environment();
	for (size_t i = 0; i < ARRAY_SIZE(openings); i++) {
		_cleanup_(credentials_free_p) struct credentials *c = new_credentials();
		const char *have;

		cr_expect_eq(read_text(c, openings[i].npmrc, true, NULL), 0, "%s",
			openings[i].npmrc);
		have = credentials_for(c, openings[i].url);
		cr_expect_str_eq(or_none(have), or_none(openings[i].header), "%s -> %s",
			openings[i].npmrc, openings[i].url);
	}
}

/* Refused lines: whose file it is matters. */
static const struct {
	const char *npmrc;
	bool trusted_passes;
	int line;
} refusals[] = {
	{ "_authToken=t", false, 1 },
	{ "a=b\n\n_auth=t", false, 3 },
	{ "_password=t", false, 1 },
	{ "//h/:_password=%%%", false, 1 },
	{ "//user@h/:_authToken=t", false, 1 },
	{ "//:_authToken=t", false, 1 },
	{ "//h/:_authToken=${CRATONS_EVIL}", false, 1 },
	{ "registry=ftp://h/", false, 1 },
	{ "registry=h", false, 1 },
	{ "registry=https://user:p@h/", false, 1 },
	{ "@a:registry=javascript:alert(1)", false, 1 },
	{ "strict-ssl=maybe", false, 1 },
	{ "registry=https://${CRATONS_HOST}/", true, 1 },
	{ "//h/:_authToken=${CRATONS_T}", true, 1 },
	{ "//${CRATONS_HOST}/:_authToken=t", true, 1 },
	{ "x=1\nproxy=http://h:1/", true, 2 },
	{ "https-proxy=http://h:1/", true, 1 },
	{ "noproxy=h", true, 1 },
	{ "cafile=/x", true, 1 },
	{ "ca[]=x", true, 1 },
	{ "strict-ssl=false", true, 1 },
};

Test(credentials, refusals_name_the_line)
{
	set_environment();
	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
		_cleanup_(credentials_free_p) struct credentials *a = new_credentials();
		_cleanup_(credentials_free_p) struct credentials *b = new_credentials();
		_cleanup_diag_ struct diag d = DIAG_INIT;
		char place[32];

		snprintf(place, sizeof(place), ".npmrc:%d", refusals[i].line);
		cr_expect_eq(read_text(a, refusals[i].npmrc, true, NULL),
			refusals[i].trusted_passes ? 0 : -ERR_CONFIG, "%s", refusals[i].npmrc);
		cr_expect_eq(read_text(b, refusals[i].npmrc, false, &d), -ERR_CONFIG, "%s",
			refusals[i].npmrc);
		cr_expect_str_eq(buf_text(&d.where), place, "%s", refusals[i].npmrc);
		cr_expect_null(strstr(buf_text(&d.what), "secret-value"));
	}
}

Test(credentials, a_projects_file_may_send_variables_to_hosts_the_user_knows)
{
	static const struct {
		const char *user, *project;
		int result;
	} cases[] = {
		{ "", "//registry.npmjs.org/:_authToken=${CRATONS_T}", 0 },
		{ "", "//localhost:1/:_authToken=${CRATONS_T}", 0 },
		{ "", "//h/:_authToken=literal", 0 },
		{ "", "//h/:_authToken=${CRATONS_UNSET}", 0 },
		{ "@a:registry=https://h/", "//h/:_authToken=${CRATONS_T}", 0 },
		{ "registry=https://h/", "registry=https://h/x/\n//h/x/:_authToken=${CRATONS_T}", 0 },
		{ "//h/:_authToken=t", "//h/:_authToken=${CRATONS_T}", 0 },
		{ "@a:registry=https://h/", "//h:444/:_authToken=${CRATONS_T}", -ERR_CONFIG },
		{ "", "registry=https://h/\n//h/:_authToken=${CRATONS_T}", -ERR_CONFIG },
		{ "", "//h/:_authToken=x\n//h/:_authToken=${CRATONS_T}", -ERR_CONFIG },
		{ "", "//registry.npmjs.org.evil/:_authToken=${CRATONS_T}", -ERR_CONFIG },
	};

	set_environment();
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(credentials_free_p) struct credentials *c = new_credentials();

		cr_assert_eq(read_text(c, cases[i].user, true, NULL), 0);
		cr_expect_eq(read_text(c, cases[i].project, false, NULL), cases[i].result,
			"%s + %s", cases[i].user, cases[i].project);
	}
}

Test(credentials, registries_by_scope)
{
	_cleanup_(credentials_free_p) struct credentials *c = new_credentials();
	const char *otherwise = "https://registry.npmjs.org/";

	cr_assert_str_eq(credentials_registry(c, STR("npm"), STR("a"), otherwise), otherwise);
	cr_assert_eq(read_text(c, "registry=https://r.example\n@a:registry=https://a.example/x\n"
		"@b:registry=https://b.example/", true, NULL), 0);
	cr_assert_eq(read_text(c, "@b:registry=https://project.example/", false, NULL), 0);
	cr_assert_str_eq(credentials_registry(c, STR("npm"), STR("a"), otherwise),
		"https://r.example/");
	cr_assert_str_eq(credentials_registry(c, STR("npm"), STR("@a/n"), otherwise),
		"https://a.example/x/");
	cr_assert_str_eq(credentials_registry(c, STR("npm"), STR("@b/n"), otherwise),
		"https://project.example/");
	cr_assert_str_eq(credentials_registry(c, STR("npm"), STR("@ab/n"), otherwise),
		"https://r.example/");
	cr_assert_str_eq(credentials_registry(c, STR("pypi"), STR("@a/n"), otherwise), otherwise);
}

Test(credentials, settings)
{
	_cleanup_(credentials_free_p) struct credentials *c = new_credentials();

	setenv("HOME", "/home/me", 1);
	cr_assert(credentials_verify_tls(c));
	cr_assert_eq(read_text(c,
		"cafile = ~/ca.pem\nstrict-ssl=false\nproxy=http://user:pw-secret@p:3128/\n"
		"https-proxy=http://b:3128/\nnoproxy[]=a.example\nnoproxy[]=b.example\n"
		"ca[]=\"-----BEGIN\\nX\\n-----END\"\nca[]='second\\nline'", true, NULL), 0);
	cr_assert_str_eq(credentials_cafile(c), "/home/me/ca.pem");
	cr_assert_str_eq(credentials_ca(c), "-----BEGIN\nX\n-----END\nsecond\nline");
	cr_assert_not(credentials_verify_tls(c));
	cr_assert_str_eq(credentials_proxy(c, false), "http://user:pw-secret@p:3128/");
	cr_assert_str_eq(credentials_proxy(c, true), "http://b:3128/");
	cr_assert_str_eq(credentials_noproxy(c), "a.example,b.example");
}

Test(credentials, redaction)
{
	_cleanup_(credentials_free_p) struct credentials *c = new_credentials();
	_cleanup_buf_ struct buf b = BUF_INIT;

	cr_assert_eq(read_text(c, "//h/:_authToken=tok\n//i/:_authToken=token-long\n"
		"//j/:username=u\n//j/:_password=cGFzcw==\nproxy=http://user:pw@p:1/", true, NULL), 0);
	cr_assert_eq(buf_adds(&b, "a tok b token-long c pass d cGFzcw== e dTpwYXNz f u:pass g pw"), 0);
	credentials_redact(c, &b);
	cr_assert_str_eq(buf_text(&b), "a *** b *** c *** d *** e *** f *** g ***");
}

Test(credentials, malformed_files)
{
	_cleanup_(credentials_free_p) struct credentials *c = new_credentials();
	_cleanup_buf_ struct buf big = BUF_INIT;

	cr_assert_eq(credentials_npmrc(c, STR("a\0b"), "x", true, NULL), -ERR_CONFIG);
	cr_assert_eq(credentials_npmrc(c, STR("a=\xff"), "x", true, NULL), -ERR_CONFIG);
	while (big.len <= 1 << 20)
		cr_assert_eq(buf_adds(&big, "registry=https://h/\n"), 0);
	cr_assert_eq(credentials_npmrc(c, buf_str(&big), "x", true, NULL), -ERR_LIMIT);
}

/* Files, environment and manifest together */

static void clean_environment(void)
{
	static const char *const names[] = { "npm_config_userconfig", "NPM_CONFIG_USERCONFIG",
		"npm_config_registry", "NPM_CONFIG_REGISTRY", "https_proxy", "HTTPS_PROXY", "http_proxy",
		"HTTP_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY", "SSL_CERT_FILE" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		unsetenv(names[i]);
}

static void put_file(int dirfd, const char *name, const char *text)
{
	cr_assert_eq(file_replace(dirfd, name, text, strlen(text), 0600), 0);
}

Test(credentials, load_in_order)
{
	_cleanup_(scratch_done) struct scratch s = scratch_new();
	struct manifest_registry registries[] = {
		{ STR("npm"), STR("@m"), STR("https://manifest.example/") },
	};
	struct manifest m = { .registries = registries, .nregistries = 1 };
	struct credentials *c;
	char *user;

	clean_environment();
	cr_assert_eq(mkdirat(s.fd, "home", 0700), 0);
	put_file(s.fd, "home/.npmrc", "registry=https://user.example/\n@m:registry=https://user.example/\n");
	put_file(s.fd, ".npmrc", "registry=https://project.example/\n");
	setenv("HOME", s.path, 1);
	cr_assert_eq(credentials_load(&c, -1, NULL, NULL), 0);
	cr_assert_str_eq(credentials_registry(c, STR("npm"), STR("a"), ""), "https://project.example/");
	cr_assert_null(credentials_proxy(c, true));
	credentials_free(c);

	cr_assert_gt(asprintf(&user, "%s/home/.npmrc", s.path), 0);
	setenv("npm_config_userconfig", user, 1);
	free(user);
	setenv("https_proxy", "http://proxy.example:3128", 1);
	cr_assert_eq(credentials_load(&c, s.fd, &m, NULL), 0);
	cr_assert_str_eq(credentials_registry(c, STR("npm"), STR("a"), ""), "https://project.example/");
	cr_assert_str_eq(credentials_registry(c, STR("npm"), STR("@m/a"), ""), "https://manifest.example/");
	cr_assert_str_eq(credentials_proxy(c, true), "http://proxy.example:3128");
	cr_assert_null(credentials_proxy(c, false));
	credentials_free(c);

	setenv("npm_config_registry", "https://environment.example", 1);
	cr_assert_eq(credentials_load(&c, s.fd, NULL, NULL), 0);
	cr_assert_str_eq(credentials_registry(c, STR("npm"), STR("a"), ""), "https://environment.example/");
	credentials_free(c);
}
