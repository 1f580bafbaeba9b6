/* The statistics of a benchmark, against values worked out by hand; units as they are read. */
#include "config.h"
#include "app/bench.h"
#include "app/units.h"
#include "t/lib/tap.h"

#include <math.h>
#include <string.h>

static bool near(double a, double b)
{
	return fabs(a - b) <= 1e-9 * (fabs(b) + 1);
}

static void test_stat(void)
{
	const double five[] = { 2, 4, 4, 4, 6 }, one[] = { 7 }, same[] = { 3, 3, 3 };
	double many[100];
	struct bench_stat s = bench_stat(five, 5);

	ok(near(s.mean, 4), "mean");
	ok(near(s.sd, sqrt(2)), "standard deviation of a sample");
	ok(near(s.ci95, 2.776 * sqrt(2) / sqrt(5)), "95 %% interval by Student's t");
	s = bench_stat(one, 1);
	ok(s.mean == 7 && s.sd == 0 && s.ci95 == 0, "one sample has no spread");
	s = bench_stat(same, 3);
	ok(near(s.mean, 3) && s.sd < 1e-12, "equal samples");
	for (int i = 0; i < 100; i++)
		many[i] = i % 2 ? 1 : -1;
	s = bench_stat(many, 100);
	ok(fabs(s.ci95 / (s.sd / 10) - 1.9842) < 0.005, "many samples: the interval of 99 degrees of freedom");
}

static const struct { uint64_t bytes; const char *text; } sizes[] = {
	{ 0, "0 B" }, { 812, "812 B" }, { 1023, "1.00 KiB" }, { 1024, "1.00 KiB" }, { 98362432, "93.8 MiB" },
	{ 1048575, "1.00 MiB" }, { 1073741824, "1.00 GiB" }, { 104752742, "99.9 MiB" }, { 209715200, "200 MiB" },
};
static const struct { int64_t n; const char *text; } params[] = {
	{ 260032, "260K" }, { 134515008, "135M" }, { 1720574976, "1.7B" }, { 999600, "1M" }, { 999600000, "1.0B" },
};
static const struct { int64_t ns; const char *text; } times[] = {
	{ 0, "0 ms" }, { 84000000, "84 ms" }, { 260000000, "0.26 s" }, { 12340000000, "12.3 s" }, { 200000000000, "3 min 20 s" },
};

static void test_units(void)
{
	char buf[64];

	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
		ok(!strcmp(units_bytes(buf, sizeof buf, sizes[i].bytes), sizes[i].text), "%s, got %s", sizes[i].text, buf);
	for (size_t i = 0; i < sizeof params / sizeof *params; i++)
		ok(!strcmp(units_params(buf, sizeof buf, params[i].n), params[i].text), "%s, got %s", params[i].text, buf);
	for (size_t i = 0; i < sizeof times / sizeof *times; i++)
		ok(!strcmp(units_time(buf, sizeof buf, times[i].ns), times[i].text), "%s, got %s", times[i].text, buf);
}

int main(void)
{
	test_stat();
	test_units();
	return tap_done();
}
