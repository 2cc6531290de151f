// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/integrity.h"

#include "prim/attr.h"
#include "prim/base64.h"
#include "prim/err.h"
#include "prim/hash.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>

#define DIGEST_MAX 64
#define TOKENS_MAX 64		/* of one string; registries give one or two */

struct evp_md;

static const struct algorithm {
	const char *name;
	enum integrity_strength strength;
	size_t size;
	const char *symbol;
} algorithms[] = {
	{ "sha1", INTEGRITY_SHA1, 20, "EVP_sha1" },
	{ "sha256", INTEGRITY_SHA256, 32, "EVP_sha256" },
	{ "sha384", INTEGRITY_SHA384, 48, "EVP_sha384" },
	{ "sha512", INTEGRITY_SHA512, 64, "EVP_sha512" },
};

/*
 * libcrypto, loaded by the first digest: it takes longer to load than most commands take to run,
 * and one that downloads nothing needs no digest. Written once, under pthread_once.
 */
static struct {
	pthread_once_t once;
	int (*digest)(const void *, size_t, unsigned char *, unsigned *, const struct evp_md *,
		void *);
	const struct evp_md *md[ARRAY_SIZE(algorithms)];
	bool ready;
} crypto = { .once = PTHREAD_ONCE_INIT };

static void load(void)
{
	void *lib = dlopen("libcrypto.so.3", RTLD_NOW | RTLD_LOCAL);

	if (!lib)
		return;
	crypto.digest = (__typeof__(crypto.digest))dlsym(lib, "EVP_Digest");
	crypto.ready = crypto.digest;
	for (size_t i = 0; i < ARRAY_SIZE(algorithms); i++) {
		const struct evp_md *(*md)(void) =
			(const struct evp_md *(*)(void))dlsym(lib, algorithms[i].symbol);

		crypto.md[i] = md ? md() : NULL;
		crypto.ready = crypto.ready && crypto.md[i];
	}
}

static int compute(const struct algorithm *a, const void *bytes, size_t len,
	uint8_t ret[DIGEST_MAX], struct diag *d)
{
	unsigned size = 0;

	pthread_once(&crypto.once, load);
	if (!crypto.ready) {
		diag_fail(d, -ENOSYS, "libcrypto.so.3 cannot be loaded");
		diag_hint(d, "install OpenSSL 3 (Debian: libssl3)");
		return -ENOSYS;
	}
	if (crypto.digest(bytes, len, ret, &size, crypto.md[a - algorithms], NULL) != 1 ||
			size != a->size)
		return diag_fail(d, -EIO, "libcrypto cannot compute %s", a->name);
	return 0;
}

/* Exactly `size` bytes: decoded, encoded again and compared, so that no second spelling passes. */
static bool decode(struct str text, uint8_t ret[DIGEST_MAX], size_t size)
{
	char again[BASE64_SIZE(DIGEST_MAX) + 1];
	uint8_t bytes[BASE64_SIZE(DIGEST_MAX)];
	size_t n;

	if (text.n != BASE64_SIZE(size) || base64_decode(text, bytes, &n) < 0 || n != size)
		return false;
	base64_encode(bytes, size, again);
	if (memcmp(again, text.p, text.n) != 0)
		return false;
	memcpy(ret, bytes, size);
	return true;
}

static const struct algorithm *find_algorithm(struct str name)
{
	for (size_t i = 0; i < ARRAY_SIZE(algorithms); i++)
		if (str_is(name, algorithms[i].name))
			return &algorithms[i];
	return NULL;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f';
}

/* The next token with a known algorithm: 1, 0 at the end, -EINVAL when its digest is malformed. */
static int next_token(struct str *rest, const struct algorithm **ret, uint8_t digest[DIGEST_MAX])
{
	while (rest->n) {
		size_t n = 0;
		struct str token, name;

		while (n < rest->n && !is_space(rest->p[n]))
			n++;
		token = str_slice(*rest, 0, n);
		*rest = str_slice(*rest, n + 1, rest->n);
		name = str_cut(&token, '-');
		*ret = find_algorithm(name);
		if (!*ret)
			continue;
		token = str_cut(&token, '?');	/* options carry no meaning yet */
		return decode(token, digest, (*ret)->size) ? 1 : -EINVAL;
	}
	return 0;
}

/* The strongest algorithm; NULL when malformed. */
static const struct algorithm *strongest(struct str sri)
{
	const struct algorithm *best = NULL, *a;
	uint8_t digest[DIGEST_MAX];
	size_t n = 0;
	int r;

	while ((r = next_token(&sri, &a, digest)) > 0) {
		if (++n > TOKENS_MAX)
			return NULL;
		if (!best || a->strength > best->strength)
			best = a;
	}
	return r < 0 ? NULL : best;
}

enum integrity_strength integrity_strength(struct str sri)
{
	const struct algorithm *a = strongest(sri);

	return a ? a->strength : INTEGRITY_NONE;
}

static int mismatch(struct str sri, const struct algorithm *a, const uint8_t *digest, struct diag *d)
{
	char text[BASE64_SIZE(DIGEST_MAX) + 1];

	base64_encode(digest, a->size, text);
	return diag_fail(d, -ERR_INTEGRITY, "the content is %s-%s, but should be %.*s", a->name,
		text, (int)MIN(sri.n, (size_t)1000), sri.p);
}

int integrity_check(struct str sri, const void *bytes, size_t len, struct diag *d)
{
	const struct algorithm *best = strongest(sri), *a;
	uint8_t have[DIGEST_MAX], want[DIGEST_MAX];
	struct str rest = sri;
	int r;

	if (!best)
		return diag_fail(d, -ERR_NO_INTEGRITY, "'%.*s' is not an integrity string",
			(int)MIN(sri.n, (size_t)200), sri.p ? sri.p : "");
	r = compute(best, bytes, len, have, d);
	if (r < 0)
		return r;
	while (next_token(&rest, &a, want) > 0)
		if (a == best && memcmp(have, want, best->size) == 0)
			return 0;
	return mismatch(sri, best, have, d);
}

static int add_token(const struct algorithm *a, const uint8_t *digest, struct buf *ret)
{
	char text[BASE64_SIZE(DIGEST_MAX) + 1];

	base64_encode(digest, a->size, text);
	return buf_addf(ret, "%s-%s", a->name, text);
}

int integrity_from_sha1_hex(struct str hex, struct buf *ret)
{
	uint8_t digest[20];

	if (hex.n != 2 * sizeof(digest) || hex_decode(digest, sizeof(digest), hex) < 0)
		return -EINVAL;
	return add_token(&algorithms[0], digest, ret);
}
