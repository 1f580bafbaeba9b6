/*
 * Where the memory is: parts, each counted on its own, whose sum is what the kernel calls the
 * resident set (within a few per cent: pages that the allocator keeps, thread stacks and what
 * the C library maps are nobody's).
 */
#ifndef APP_MEMORY_H
#define APP_MEMORY_H

#include "engine/engine.h"

struct memory {
	uint64_t weights;	/* resident of the mapping, and made */
	uint64_t kv, scratch;
	uint64_t other;		/* the rest of the heap (vocabulary, conversation), the program and its libraries */
	bool counted;		/* `other` is; else the system does not tell, and it is what is left of rss */
	uint64_t rss, available;	/* the process's, as the kernel counts it; what can still be had */
};

/* Main thread; costs some hundred system calls. */
void memory_read(struct memory *m, const struct eng_mem *engine);
static inline uint64_t memory_sum(const struct memory *m)
{
	return m->weights + m->kv + m->scratch + m->other;
}

#endif
