/*
 * Rotary position embedding. The angle of pair i at a position is
 *	pos × base^(-2i/n_rot) ÷ freqs[i] × freq_scale,
 * the powers by repeated multiplication in float, as ggml computes them; yarn mixes the
 * scaled and the unscaled angle by frequency (arXiv 2309.00071).
 */
#ifndef ENGINE_MODEL_ROPE_H
#define ENGINE_MODEL_ROPE_H

#include "engine/model/config.h"

/* cs (n_rot): cosine and sine of each pair at a position. freqs (n_rot / 2) or NULL. */
void rope_angles(const struct rope_config *r, int32_t n_rot, const float *freqs, int32_t pos, float *cs);

/* Turns a head in place. */
void rope_turn(const struct config *c, float *x, const float *cs);

#endif
