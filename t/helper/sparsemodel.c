/*
 * sparsemodel OUT GIB KV-HEADS: a loadable llama of that many GiB, all zeros and nowhere on the
 * disk but for its header. For what happens when a model is larger than the machine.
 */
#include "config.h"
#include "t/lib/ggufmake.h"

#include <stdio.h>
#include <stdlib.h>

enum { EMBD = 1024, HEADS = 64, HEAD_DIM = 128, VOCAB = 512 };

static void hole(struct ggufmake *m, const char *layer, const char *name, int64_t in, int64_t out)
{
	char full[64];

	snprintf(full, sizeof full, "%s%s.weight", layer, name);
	gm_hole(m, full, GM_F16, 2, (int64_t[]){ in, out }, (uint64_t)(in * out) * 2);
}

static void norm(struct ggufmake *m, const char *layer, const char *name)
{
	char full[64];

	snprintf(full, sizeof full, "%s%s.weight", layer, name);
	gm_tensor(m, full, GM_F32, 1, (int64_t[]){ EMBD }, NULL, EMBD * sizeof(float));
}

/* Bytes, and as much more as the embedding has rows: enough for any text. */
static void vocabulary(struct ggufmake *m)
{
	static char text[VOCAB][12];
	const char *tokens[VOCAB];
	int32_t types[VOCAB];

	for (int i = 0; i < VOCAB; i++) {
		const bool byte = i >= 3 && i < 3 + 256;

		snprintf(text[i], sizeof text[i], byte ? "<0x%02X>" : i < 3 ? "<%d>" : "w%d", byte ? i - 3 : i);
		tokens[i] = text[i];
		types[i] = byte ? 6 : !i ? 2 : i < 3 ? 3 : 1;
	}
	gm_str(m, "tokenizer.ggml.model", "llama");
	gm_strs(m, "tokenizer.ggml.tokens", tokens, VOCAB);
	gm_i32s(m, "tokenizer.ggml.token_type", types, VOCAB);
}

static void keys(struct ggufmake *m, int n_layer, int n_kv, int64_t n_ff)
{
	gm_str(m, "general.architecture", "llama");
	gm_str(m, "general.name", "sparse");
	gm_u32(m, "general.file_type", 1);
	gm_u32(m, "llama.context_length", 1 << 24);
	gm_u32(m, "llama.embedding_length", EMBD);
	gm_u32(m, "llama.block_count", (uint32_t)n_layer);
	gm_u32(m, "llama.feed_forward_length", (uint32_t)n_ff);
	gm_u32(m, "llama.attention.head_count", HEADS);
	gm_u32(m, "llama.attention.head_count_kv", (uint32_t)n_kv);
	gm_u32(m, "llama.attention.key_length", HEAD_DIM);
	gm_u32(m, "llama.attention.value_length", HEAD_DIM);
	gm_u32(m, "llama.rope.dimension_count", HEAD_DIM);
	gm_f32(m, "llama.attention.layer_norm_rms_epsilon", 1e-5f);
}

int main(int argc, char **argv)
{
	const double gib = argc == 4 ? atof(argv[2]) : 0;
	const int n_kv = argc == 4 ? atoi(argv[3]) : 0, n_layer = gib < 1 ? 1 : 64;
	/* a multiple of 256 that makes up the size */
	const int64_t n_ff = ((int64_t)(gib * (1 << 30) / n_layer / (3.0 * EMBD * 2)) & ~(int64_t)255) + 256;
	struct ggufmake *m;
	char layer[24];

	if (gib <= 0 || n_kv < 1 || HEADS % n_kv) {
		fputs("usage: sparsemodel OUT GIB KV-HEADS\n", stderr);
		return 2;
	}
	m = gm_new();
	keys(m, n_layer, n_kv, n_ff);
	vocabulary(m);
	norm(m, "", "output_norm");
	for (int i = 0; i < n_layer; i++) {
		snprintf(layer, sizeof layer, "blk.%d.", i);
		norm(m, layer, "attn_norm");
		norm(m, layer, "ffn_norm");
	}
	hole(m, "", "token_embd", EMBD, VOCAB);
	for (int i = 0; i < n_layer; i++) {
		snprintf(layer, sizeof layer, "blk.%d.", i);
		hole(m, layer, "attn_q", EMBD, (int64_t)HEADS * HEAD_DIM);
		hole(m, layer, "attn_k", EMBD, (int64_t)n_kv * HEAD_DIM);
		hole(m, layer, "attn_v", EMBD, (int64_t)n_kv * HEAD_DIM);
		hole(m, layer, "attn_output", (int64_t)HEADS * HEAD_DIM, EMBD);
		hole(m, layer, "ffn_gate", EMBD, n_ff);
		hole(m, layer, "ffn_up", EMBD, n_ff);
		hole(m, layer, "ffn_down", n_ff, EMBD);
	}
	gm_write(m, argv[1]);
	gm_free(m);
	return 0;
}
