#include "config.h"
#include "engine/model/family.h"

#include <string.h>

#define GEMMA (FAMILY_POST_NORMS | FAMILY_SCALE_EMBD)
#define BITNET (FAMILY_SUB_NORMS | FAMILY_ACT_TOKEN)

const struct family families[] = {
	{ .arch = "llama", .name = "llama", .rope = ROPE_NORM },
	{ .arch = "qwen2", .name = "qwen2", .rope = ROPE_NEOX },
	{ .arch = "qwen3", .name = "qwen3", .rope = ROPE_NEOX, .flags = FAMILY_QK_NORM },
	{ .arch = "phi3", .name = "phi3", .rope = ROPE_NEOX, .flags = FAMILY_FUSED_UP },
	{ .arch = "gemma2", .name = "gemma2", .rope = ROPE_NEOX, .gate = GATE_GELU, .flags = GEMMA, .window_period = 2,
	  .window = 4096, .attn_softcap = 50, .logit_softcap = 30, .layers_wide = 46 },
	{ .arch = "gemma3", .name = "gemma3", .rope = ROPE_NEOX, .gate = GATE_GELU, .flags = GEMMA | FAMILY_QK_NORM,
	  .window_period = 6, .window_base = 10000, .layers_wide = 62 },
	{ .arch = "smollm3", .name = "smollm3", .rope = ROPE_NORM, .flags = FAMILY_NOPE4 },
	{ .arch = "bitnet-b1.58", .name = "bitnet", .rope = ROPE_NEOX, .gate = GATE_RELU2, .flags = BITNET },
	{ .arch = "bitnet-25", .name = "bitnet", .rope = ROPE_NEOX, .gate = GATE_RELU2, .flags = BITNET },
	/* the first models of that name: otherwise gated, and rounded like any other */
	{ .arch = "bitnet", .name = "bitnet (2024)", .rope = ROPE_NEOX, .flags = FAMILY_SUB_NORMS },
	{ .arch = NULL },
};

const struct family *family_find(const char *arch, size_t n)
{
	for (const struct family *f = families; f->arch; f++)
		if (strlen(f->arch) == n && !memcmp(f->arch, arch, n))
			return f;
	return NULL;
}
