/*
 * SipHash-c-d from one template, and the table ids made of it; see hash.h.
 *
 * Input words are read as little-endian on every machine, so that a value sent
 * to another node means the same there.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/share/hash.h"

#include <endian.h>
#include <errno.h>
#include <string.h>
#include <sys/random.h>

/* Round counts are constants at every call: forced inlining turns the one
 * template into unrolled 1-3 and 2-4 code. */
#define INLINE inline __attribute__((always_inline))

int tg_hashkey_random(struct tg_hashkey *key)
{
	unsigned char *at = (unsigned char *)key;
	size_t left = sizeof(*key);

	/* Once the kernel's pool is ready, it answers a request of up to 256 bytes
	 * in full. Before that, a signal may interrupt the wait. */
	while(left > 0) {
		ssize_t got = getrandom(at, left, 0);

		if(got < 0 && errno == EINTR)
			continue;
		if(got < 0)
			return -errno;
		at += got;
		left -= (size_t)got;
	}
	return 0;
}

struct sip_state
{
	uint64_t v0, v1, v2, v3;
};

static inline uint64_t rotl(uint64_t x, unsigned bits)
{
	return (x << bits) | (x >> (64 - bits));
}

static inline uint64_t load64(const unsigned char *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof(word));
	return le64toh(word);
}

static INLINE void sip_rounds(struct sip_state *s, int rounds)
{
	while(rounds-- > 0) {
		s->v0 += s->v1;
		s->v2 += s->v3;
		s->v1 = rotl(s->v1, 13) ^ s->v0;
		s->v3 = rotl(s->v3, 16) ^ s->v2;
		s->v0 = rotl(s->v0, 32);
		s->v2 += s->v1;
		s->v0 += s->v3;
		s->v1 = rotl(s->v1, 17) ^ s->v2;
		s->v3 = rotl(s->v3, 21) ^ s->v0;
		s->v2 = rotl(s->v2, 32);
	}
}

static INLINE void sip_init(struct sip_state *s, const struct tg_hashkey *key)
{
	/* The constants of the paper, section 2.1. */
	s->v0 = key->k0 ^ UINT64_C(0x736f6d6570736575);
	s->v1 = key->k1 ^ UINT64_C(0x646f72616e646f6d);
	s->v2 = key->k0 ^ UINT64_C(0x6c7967656e657261);
	s->v3 = key->k1 ^ UINT64_C(0x7465646279746573);
}

static INLINE void sip_word(struct sip_state *s, uint64_t word, int c)
{
	s->v3 ^= word;
	sip_rounds(s, c);
	s->v0 ^= word;
}

/* Hashes the last `len` bytes, at `p`, of a message of `total` bytes. */
static INLINE uint64_t sip_finish(struct sip_state *s, const unsigned char *p,
		size_t len, size_t total, int c, int d)
{
	uint64_t tail = (uint64_t)total << 56;
	size_t i;

	for(; len >= 8; p += 8, len -= 8)
		sip_word(s, load64(p), c);
	for(i = 0; i < len; i++)
		tail |= (uint64_t)p[i] << (8 * i);
	sip_word(s, tail, c);
	s->v2 ^= 0xff;
	sip_rounds(s, d);
	return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

uint64_t tg_siphash13(
		const struct tg_hashkey *key, const void *data, size_t len)
{
	struct sip_state s;

	sip_init(&s, key);
	return sip_finish(&s, data, len, len, 1, 3);
}

uint64_t tg_siphash24(
		const struct tg_hashkey *key, const void *data, size_t len)
{
	struct sip_state s;

	sip_init(&s, key);
	return sip_finish(&s, data, len, len, 2, 4);
}

uint64_t tg_hash_id(const struct tg_hashkey *key, uint32_t space,
		const void *data, size_t len)
{
	struct sip_state s;
	uint64_t id;

	/* SipHash-1-3 of the eight bytes of `space`, then the data. */
	sip_init(&s, key);
	sip_word(&s, space, 1);
	id = sip_finish(&s, data, len, len + 8, 1, 3);
	return id != 0 ? id : 1;
}
