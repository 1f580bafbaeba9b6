#include "config.h"
#include "app/meter.h"
#include "app/interrupt.h"
#include "engine/base/os.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const int64_t first_ns = 300000000, step_ns = 100000000;

void meter_init(struct meter *m, const char *what)
{
	const char *term = getenv("TERM");

	*m = (struct meter){ .what = what, .next_ns = os_now_ns() + first_ns };
	m->on = isatty(STDERR_FILENO) && term && strcmp(term, "dumb");
}

void meter_update(struct meter *m, int64_t done, int64_t total)
{
	const int64_t now = m->on ? os_now_ns() : 0;
	int n;

	if (!m->on || now < m->next_ns)
		return;
	m->next_ns = now + step_ns;
	n = fprintf(stderr, "\r%s  %lld %%", m->what, (long long)(total > 0 ? 100 * done / total : 0));
	if (n - 1 < m->shown)
		fprintf(stderr, "%*s", m->shown - (n - 1), "");
	m->shown = n - 1;
	fflush(stderr);
}

void meter_clear(struct meter *m)
{
	if (m->shown) {
		fprintf(stderr, "\r%*s\r", m->shown, "");
		fflush(stderr);
	}
	m->shown = 0;
}

bool meter_progress(void *arg, int64_t done, int64_t total)
{
	meter_update(arg, done, total);
	return !interrupt_seen();
}
