/* Writes small sound GGUF files into a folder, for fuzz_gguf to begin with. */
#include "config.h"
#include "t/lib/ggufmake.h"

#include <stdio.h>

static const char *const words[] = { "a", "b" };
static const float zeros[64];

static void tensors(struct ggufmake *m)
{
	gm_tensor(m, "a.weight", GM_F32, 2, (const int64_t[]){ 8, 8 }, zeros, sizeof zeros);
	gm_tensor(m, "b.weight", 8, 1, (const int64_t[]){ 64 }, NULL, 68);	/* Q8_0 */
	gm_tensor(m, "c.weight", 36, 2, (const int64_t[]){ 64, 2 }, NULL, 64);	/* I2_S */
	gm_tensor(m, "d.weight", 12, 1, (const int64_t[]){ 256 }, NULL, 144);	/* Q4_K */
}

int main(int argc, char **argv)
{
	static const unsigned char nested[] = { 9, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 7 };

	if (argc != 2) {
		fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
		return 2;
	}
	for (int i = 0; i < 8; i++) {
		struct ggufmake *m = gm_new();
		char path[1024];

		if (i & 1)
			gm_big_endian(m);
		if (i & 2)
			gm_align(m, 64);
		gm_str(m, "general.architecture", "llama");
		gm_u32(m, "llama.block_count", 1);
		gm_u64(m, "split.count", 1);
		gm_f32(m, "llama.rope.freq_base", 10000);
		gm_bool(m, "tokenizer.ggml.add_bos_token", true);
		gm_strs(m, "tokenizer.ggml.tokens", words, 2);
		gm_f32s(m, "tokenizer.ggml.scores", zeros, 2);
		gm_i32s(m, "tokenizer.ggml.token_type", (const int32_t[]){ 1, 2 }, 2);
		if (!(i & 1))
			gm_raw(m, "nested", 9, nested, sizeof nested);
		if (!(i & 4))
			tensors(m);
		snprintf(path, sizeof path, "%s/seed%d", argv[1], i);
		gm_write(m, path);
		gm_free(m);
	}
	return 0;
}
