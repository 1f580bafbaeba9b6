#include "config.h"
#include "app/units.h"

#include <stdio.h>

const char *units_bytes(char *buf, size_t size, uint64_t bytes)
{
	static const char *const names[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	double v = (double)bytes;
	int i = 0;

	/* 999.5 would be shown as 1000: one step further reads better */
	while (v >= 999.5 && i < 4) {
		v /= 1024;
		i++;
	}
	snprintf(buf, size, "%.*f %s", !i || v >= 99.95 ? 0 : v >= 9.995 ? 1 : 2, v, names[i]);
	return buf;
}

const char *units_time(char *buf, size_t size, int64_t ns)
{
	const double s = (double)ns / 1e9;

	if (s < 0.0995)
		snprintf(buf, size, "%.0f ms", s * 1e3);
	else if (s < 59.95)
		snprintf(buf, size, s < 9.995 ? "%.2f s" : "%.1f s", s);
	else
		snprintf(buf, size, "%.0f min %02.0f s", (double)((int64_t)(s + 0.5) / 60), (double)((int64_t)(s + 0.5) % 60));
	return buf;
}

const char *units_params(char *buf, size_t size, int64_t n)
{
	if (n < 999500)
		snprintf(buf, size, "%.0fK", (double)n / 1e3);
	else if (n < 999500000)
		snprintf(buf, size, "%.0fM", (double)n / 1e6);
	else
		snprintf(buf, size, "%.1fB", (double)n / 1e9);
	return buf;
}
