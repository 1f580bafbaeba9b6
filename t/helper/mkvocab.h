/*
 * Vocabularies for made models: of any size, loadable, and able to take any text. Bytes (or
 * characters) come first, then every string of two, three and four letters in turn with the
 * merges or scores that build it, control tokens last. Templates are the shortest that mark
 * turns as each family's own do.
 */
#ifndef T_HELPER_MKVOCAB_H
#define T_HELPER_MKVOCAB_H

#include "engine/format/gguf_write.h"

enum { MKVOCAB_MIN = 300, MKVOCAB_MAX = 300000 };

struct mkvocab;

/*
 * Byte-level "qwen2", "llama-bpe", "smollm", "smaug-bpe", "gpt-4o"; SentencePiece "phi3",
 * "gemma". NULL: unknown.
 */
const struct mkvocab *mkvocab_find(const char *name);
/* The tokenizer.* keys for n tokens, MKVOCAB_MIN … MKVOCAB_MAX. */
int mkvocab_write(const struct mkvocab *v, struct gguf_writer *w, int n, struct err *e);

#endif
