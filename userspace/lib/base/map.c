// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/map.h"

#include <errno.h>
#include <pthread.h>
#include <sys/random.h>

static uint64_t hash_key[2];
static pthread_once_t hash_key_once = PTHREAD_ONCE_INIT;

static void hash_key_make(void)
{
	if (getrandom(hash_key, sizeof(hash_key), 0) != sizeof(hash_key))
		abort();
}

static inline uint64_t rotate(uint64_t x, int by)
{
	return x << by | x >> (64 - by);
}

static inline void sip_round(uint64_t v[4])
{
	v[0] += v[1], v[1] = rotate(v[1], 13) ^ v[0], v[0] = rotate(v[0], 32);
	v[2] += v[3], v[3] = rotate(v[3], 16) ^ v[2];
	v[0] += v[3], v[3] = rotate(v[3], 21) ^ v[0];
	v[2] += v[1], v[1] = rotate(v[1], 17) ^ v[2], v[2] = rotate(v[2], 32);
}

/* SipHash-1-3 (https://www.aumasson.jp/siphash/siphash.pdf, with 1 and 3 rounds). */
static uint64_t map_hash(struct str key)
{
	uint64_t v[4], m;
	size_t i;

	pthread_once(&hash_key_once, hash_key_make);
	v[0] = hash_key[0] ^ 0x736f6d6570736575;
	v[1] = hash_key[1] ^ 0x646f72616e646f6d;
	v[2] = hash_key[0] ^ 0x6c7967656e657261;
	v[3] = hash_key[1] ^ 0x7465646279746573;
	for (i = 0; i + 8 <= key.n; i += 8) {
		memcpy(&m, key.p + i, 8);
		v[3] ^= m;
		sip_round(v);
		v[0] ^= m;
	}
	m = (uint64_t)key.n << 56;
	for (size_t j = 0; i + j < key.n; j++)
		m |= (uint64_t)(unsigned char)key.p[i + j] << (8 * j);
	v[3] ^= m;
	sip_round(v);
	v[0] ^= m;
	v[2] ^= 0xff;
	for (int n = 0; n < 3; n++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

void map_done(struct map *m)
{
	free(m->entries);
	free(m->slots);
	*m = (struct map)MAP_INIT;
}

/* The slot that holds the key, or the free one where it belongs. */
static size_t slot_of(const struct map *m, struct str key, uint64_t hash)
{
	size_t at = hash & (m->nslots - 1);

	while (m->slots[at]) {
		const struct map_entry *e = &m->entries[m->slots[at] - 1];

		if (e->hash == hash && str_eq(e->key, key))
			break;
		at = (at + 1) & (m->nslots - 1);
	}
	return at;
}

void *map_get(const struct map *m, struct str key)
{
	size_t at;

	if (m->nslots == 0)
		return NULL;
	at = slot_of(m, key, map_hash(key));
	return m->slots[at] ? m->entries[m->slots[at] - 1].value : NULL;
}

static int grow(struct map *m)
{
	size_t nslots = m->nslots ? m->nslots * 2 : 16;
	size_t cap = nslots / 4 * 3;
	struct map_entry *entries = reallocarray(m->entries, cap, sizeof(*entries));
	uint32_t *slots;

	if (!entries)
		return -ENOMEM;
	m->entries = entries;
	slots = calloc(nslots, sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	free(m->slots);
	m->slots = slots;
	m->nslots = nslots;
	m->cap = cap;
	for (size_t i = 0; i < m->n; i++) {
		size_t at = m->entries[i].hash & (nslots - 1);

		while (slots[at])
			at = (at + 1) & (nslots - 1);
		slots[at] = (uint32_t)i + 1;
	}
	return 0;
}

struct map_entry *map_entry(struct map *m, struct str key)
{
	uint64_t hash = map_hash(key);
	size_t at;

	if (m->n == m->cap && grow(m) < 0)
		return NULL;
	at = slot_of(m, key, hash);
	if (m->slots[at])
		return &m->entries[m->slots[at] - 1];
	m->entries[m->n] = (struct map_entry){ .key = key, .hash = hash };
	m->slots[at] = (uint32_t)++m->n;
	return &m->entries[m->n - 1];
}

int map_put(struct map *m, struct str key, void *value)
{
	struct map_entry *e = map_entry(m, key);

	if (!e)
		return -ENOMEM;
	e->value = value;
	return 0;
}
