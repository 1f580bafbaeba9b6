#include "config.h"
#include "engine/model/rope.h"

#include <math.h>

/* The pair whose wave fits `turns` times into the original context. */
static float yarn_dim(const struct rope_config *r, int32_t n_rot, float turns)
{
	return (float)n_rot * logf((float)r->ctx_orig / (turns * 6.28318531f)) / (2 * logf(r->base));
}

void rope_angles(const struct rope_config *r, int32_t n_rot, const float *freqs, int32_t pos, float *cs)
{
	const float step = powf(r->base, -2.0f / (float)n_rot);
	float theta = (float)pos, lo = 0, hi = 0;

	if (r->ext != 0) {
		lo = fmaxf(0, floorf(yarn_dim(r, n_rot, r->beta_fast)));
		hi = fminf((float)n_rot - 1, ceilf(yarn_dim(r, n_rot, r->beta_slow)));
	}
	for (int i = 0; i < n_rot / 2; i++) {
		const float plain = freqs ? theta / freqs[i] : theta;
		float angle = r->freq_scale * plain;

		if (r->ext != 0) {
			const float t = ((float)i - lo) / fmaxf(0.001f, hi - lo);
			const float mix = (1 - fminf(1, fmaxf(0, t))) * r->ext;

			angle = angle * (1 - mix) + plain * mix;
		}
		cs[2 * i] = cosf(angle) * r->attn;
		cs[2 * i + 1] = sinf(angle) * r->attn;
		theta *= step;
	}
}

void rope_turn(const struct config *c, float *x, const float *cs)
{
	const int half = c->n_rot / 2;

	for (int i = 0; i < half; i++) {
		const int one = c->family->rope == ROPE_NORM ? 2 * i : i, two = c->family->rope == ROPE_NORM ? 2 * i + 1 : i + half;
		const float a = x[one], b = x[two];

		x[one] = a * cs[2 * i] - b * cs[2 * i + 1];
		x[two] = a * cs[2 * i + 1] + b * cs[2 * i];
	}
}
