/*
 * FNV-1a of 64 bits, by Fowler, Noll and Vo: begin with HASH_EMPTY and add to it. For tables and for
 * seeing whether something is what it was; whoever wants to can make two texts of one hash.
 */
#ifndef ENGINE_BASE_HASH_H
#define ENGINE_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#define HASH_EMPTY 0xcbf29ce484222325u

/* A number in one step, in place of its bytes one by one. */
static inline uint64_t hash_number(uint64_t h, uint64_t n)
{
	return (h ^ n) * 0x100000001b3u;
}

static inline uint64_t hash_bytes(uint64_t h, const void *p, size_t n)
{
	const unsigned char *b = p;

	for (size_t i = 0; i < n; i++)
		h = hash_number(h, b[i]);
	return h;
}

#endif
