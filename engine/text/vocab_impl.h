/*
 * The vocabulary from inside: shared by the files of engine/text that build it, read it
 * and merge by it; nobody else includes this.
 *
 * Everything is flat: the texts of all tokens in one block, a table of hashes over them,
 * a table of merges by pairs of ids. Hashes are seeded, so that no file can be written to
 * make them collide.
 *
 *   vocab.c     reads the keys, builds the tables          presplit.c  pieces of a text
 *   special.c   tokens that are matched as they stand      bpe.c       a piece → ids
 *   encode.c    text and spans → runs                      spm.c       a run → ids
 *   detok.c     ids → text
 */
#ifndef ENGINE_TEXT_VOCAB_IMPL_H
#define ENGINE_TEXT_VOCAB_IMPL_H

#include "engine/text/presplit.h"
#include "engine/text/vocab.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {
	TOKEN_ATTR = 7,		/* enum vocab_attr */
	TOKEN_MERGES = 8,	/* text becomes this token by merging */
	TOKEN_END = 16,		/* ends an answer */
	TOKEN_RSTRIP = 32,	/* the white space after it is dropped (Phi-3) */
};

struct slot { uint32_t hash; int32_t id; };		/* id -1: free */
struct pair { int32_t left, right, made; uint32_t rank; };	/* left -1: free */

/* Tokens matched as they stand: a tree of their bytes. */
enum {
	MATCH_CONTROL = 1,	/* where control tokens are asked for */
	MATCH_PLAIN = 2,	/* user-defined: outside user spans */
	MATCH_USER = 4,		/* user-defined and harmless: everywhere */
};
struct trie_node {
	int32_t child, sibling;	/* 0: none */
	int32_t id;		/* token that ends here, or -1 */
	unsigned char byte, match;
};
struct trie {
	struct trie_node *p;
	int32_t n, size;
	int32_t root[256];	/* 0: none; node 0 is not used */
	unsigned char first[256];	/* match bits of all tokens that begin with this byte */
};

struct vocab {
	enum vocab_kind kind;
	const struct presplit_row *row;
	struct presplit *split;		/* BPE */
	int32_t n;
	char *text;			/* token i: text[off[i] … off[i+1]-1] */
	uint32_t *off;			/* (n + 1) */
	unsigned char *flags;		/* (n) */
	uint32_t *key;			/* SPM (n): order of merging, smaller first */
	struct slot *slots;
	uint32_t slot_mask;
	struct pair *pairs;		/* BPE */
	uint32_t pair_mask;
	uint64_t seed;
	uint32_t longest;		/* bytes of the longest token that merges make */
	int32_t byte_id[256];		/* the token of a byte, or -1 */
	unsigned char joins[8192];	/* SPM: bit a*256+b: some token has byte b after byte a */
	struct trie trie;
	int32_t bos, eos, eot, eom, unk, pad;
	bool add_bos, add_eos, add_space_prefix, ignore_merges;
};

/* What the file's bytes of a token (or half of a merge) stand for, appended at `to`; returns the length. */
size_t bpe_decode(char *to, const char *s, size_t n, bool *plain);
int bpe_build(struct vocab *v, const struct gguf *g, struct err *e);
int special_build(struct vocab *v, struct err *e);
void special_free(struct vocab *v);
/* The longest token of these kinds at p; returns its id and length, or -1. */
int32_t special_match(const struct vocab *v, const char *p, size_t n, unsigned match, size_t *len);

static inline uint64_t vocab_mix(uint64_t h)
{
	h ^= h >> 32;
	h *= 0xd6e8feb86659fd93u;
	h ^= h >> 29;
	return h;
}

static inline uint32_t vocab_hash(uint64_t seed, const char *p, size_t n)
{
	uint64_t h = seed ^ n * 0x9e3779b97f4a7c15u, x;

	for (; n >= 8; p += 8, n -= 8) {
		memcpy(&x, p, 8);
		h = vocab_mix(h ^ x);
	}
	x = 0;
	memcpy(&x, p, n);
	h = vocab_mix(h ^ x) * 0x9e3779b97f4a7c15u;
	return (uint32_t)(h >> 32);
}

static inline const char *vocab_text(const struct vocab *v, int32_t id, size_t *n)
{
	*n = v->off[id + 1] - v->off[id];
	return v->text + v->off[id];
}

static inline bool vocab_is(const struct vocab *v, int32_t id, const char *p, size_t n)
{
	return v->off[id + 1] - v->off[id] == n && !memcmp(v->text + v->off[id], p, n);
}

/* The token of exactly these bytes, among those that merging makes or among the others; -1. */
static inline int32_t vocab_look_hash(const struct vocab *v, uint32_t hash, const char *p, size_t n, bool merges)
{
	for (uint32_t i = hash & v->slot_mask; v->slots[i].id >= 0; i = (i + 1) & v->slot_mask) {
		int32_t id = v->slots[i].id;

		if (v->slots[i].hash == hash && !!(v->flags[id] & TOKEN_MERGES) == merges && vocab_is(v, id, p, n))
			return id;
	}
	return -1;
}

static inline int32_t vocab_look(const struct vocab *v, const char *p, size_t n, bool merges)
{
	return vocab_look_hash(v, vocab_hash(v->seed, p, n), p, n, merges);
}

static inline uint32_t pair_hash(const struct vocab *v, int32_t left, int32_t right)
{
	return (uint32_t)(vocab_mix(v->seed ^ ((uint64_t)(uint32_t)left << 32 | (uint32_t)right)) *
			  0x9e3779b97f4a7c15u >> 32);
}

/* The merge of two tokens, or NULL. */
static inline const struct pair *vocab_pair(const struct vocab *v, int32_t left, int32_t right)
{
	uint32_t i = pair_hash(v, left, right) & v->pair_mask;

	for (; v->pairs[i].left >= 0; i = (i + 1) & v->pair_mask)
		if (v->pairs[i].left == left && v->pairs[i].right == right)
			return &v->pairs[i];
	return NULL;
}

/* -- one call of vocab_encode ------------------------------------------------------- */

enum { KEY_NONE = UINT32_MAX };

/* A stretch of the run that is one token so far, and what it would become with the next. */
struct sym {
	int32_t prev, next;	/* -1: none */
	int32_t id;		/* -1: no token */
	int32_t made;		/* the two together */
	uint32_t key;		/* when: smaller first; KEY_NONE: never */
	uint32_t at, len;	/* bytes */
};

struct work {
	const struct vocab *v;
	struct ids *out;
	struct err *e;
	struct sym *sym;
	size_t sym_size;
	uint64_t *heap;		/* key << 32 | index */
	size_t heap_n, heap_size;
	char *buf;		/* a run made ready: NFC, or blanks for U+2581 */
	size_t buf_size;
	struct presplit_run *split;
};

int work_syms(struct work *w, size_t n);
int work_heap(struct work *w, size_t n);
int work_buf(struct work *w, size_t n);
int work_add(struct work *w, int32_t id);

int bpe_encode(struct work *w, const char *p, size_t n);
int spm_encode(struct work *w, const char *p, size_t n, bool prefix);

#endif
