/* What the compiler makes of plain C, as it does of the scalar kernels. */
#include "config.h"
#include "engine/kernels/probe.h"

enum { DOT = 4096 };

/* Takes a result from the optimizer's sight, so that it has to be there. */
#define KEEP(x) __asm__ volatile("" : : "g"(x) : "memory")

static void read_c(const void *p, size_t n)
{
	const uint64_t *q = p, *const end = q + n / sizeof *q;
	uint64_t a = 0, b = 1, c = 2, d = 3;

	for (; q < end; q += 16) {
		a ^= q[0] ^ q[1] ^ q[2] ^ q[3];
		b ^= q[4] ^ q[5] ^ q[6] ^ q[7];
		c ^= q[8] ^ q[9] ^ q[10] ^ q[11];
		d ^= q[12] ^ q[13] ^ q[14] ^ q[15];
	}
	KEEP(a ^ b ^ c ^ d);
}

static void int8_c(int64_t rounds)
{
	int8_t x[DOT], y[DOT];
	int32_t sum = 0;

	for (int i = 0; i < DOT; i++) {
		x[i] = (int8_t)(i % 255 - 127);
		y[i] = (int8_t)(i % 253 - 126);
	}
	for (int64_t r = 0; r < rounds; r++) {
		/* the arrays may have changed: the product is computed again */
		KEEP(&x[0]);
		KEEP(&y[0]);
		for (int i = 0; i < DOT; i++)
			sum += x[i] * y[i];
		sum &= 0xffff;
	}
	KEEP(sum);
}

typedef float lanes __attribute__((vector_size(16)));

/* Twelve chains of four lanes: enough for a multiplication and an addition of four cycles on two ports. */
#define CHAINS(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11)

static void f32_c(int64_t rounds)
{
	const lanes half = { 0.5f, 0.5f, 0.5f, 0.5f }, one = { 1, 1, 1, 1 };
#define START(i) lanes a##i = { i + 1, i + 2, i + 3, i + 4 };
	CHAINS(START)
#undef START

	for (int64_t r = 0; r < rounds; r++) {
#define STEP(i) a##i = a##i * half + one;
		CHAINS(STEP)
#undef STEP
	}
#define END(i) KEEP(a##i[0] + a##i[3]);
	CHAINS(END)
#undef END
}

const struct probe_ops probe_scalar = {
	.isa = "scalar", .read = read_c, .int8 = int8_c, .int8_ops = 2 * DOT, .f32 = f32_c, .f32_ops = 12 * 4 * 2,
};
