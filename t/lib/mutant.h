/*
 * Mutants of a real model file, made by one who knows its fields: a count, a length, a type,
 * a shape, an offset, a name, a hyper-parameter. Each says beforehand what must come of it.
 * The same file and number give the same mutant everywhere.
 *
 * Made for llama-family files of which every tensor is needed (stories260K).
 */
#ifndef T_LIB_MUTANT_H
#define T_LIB_MUTANT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MUTANT_PATCHES = 2, MUTANT_BYTES = 16 };

struct mutant {
	char what[160];			/* "llama.block_count, value: 5 -> 0" */
	bool refuse;			/* it must be refused; else it may load, and must work then */
	unsigned codes;			/* a refusal has one of these codes: bits 1 << ERR_... */
	int n_patches;
	struct { size_t at, n; unsigned char bytes[MUTANT_BYTES]; } patch[MUTANT_PATCHES];
	size_t size;			/* the file's new size: cut, or longer by zeros */
};

struct mutants;

/* The bytes (little endian, sound) are borrowed. NULL when they cannot be understood. */
struct mutants *mutants_new(const unsigned char *file, size_t n);
void mutants_free(struct mutants *s);
void mutants_make(const struct mutants *s, uint64_t number, struct mutant *out);

#endif
