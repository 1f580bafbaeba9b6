/* The verb show of this machine: its limits as a table, or as JSON. */
#include "config.h"
#include "app/cmd.h"
#include "app/field.h"
#include "app/interrupt.h"
#include "app/machine.h"
#include "app/meter.h"
#include "app/show.h"
#include "app/termtext.h"
#include "app/units.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { LEFT = 18, COLUMN = 12, MAX_COUNTS = 16 };

/* -- for people ---------------------------------------------------------------------- */

/* The counts of threads there are figures for, smallest first. */
static int thread_counts(const struct eng_machine *m, int *counts)
{
	int n = 0;

	for (int i = 0; i < m->n_peak; i++) {
		int k = 0;

		while (k < n && counts[k] != m->peak[i].threads)
			k++;
		if (k == n && n < MAX_COUNTS)
			counts[n++] = m->peak[i].threads;
	}
	return n;
}

static void head(const char *title, const int *counts, int n)
{
	char cell[32];

	printf("\n  %-*s", LEFT, title);
	for (int k = 0; k < n; k++) {
		snprintf(cell, sizeof cell, "%d thread%s", counts[k], counts[k] > 1 ? "s" : "");
		printf("%*s", COLUMN, cell);
	}
	putchar('\n');
}

static void cell(double rate)
{
	const double v = rate / 1e9;

	if (v > 0)
		printf("%*.*f", COLUMN, v < 99.95 ? 1 : 0, v);
	else
		printf("%*s", COLUMN, "-");
}

static double read_rate(const struct eng_machine *m, uint64_t bytes, int threads)
{
	for (int i = 0; i < m->n_read; i++)
		if (m->read[i].bytes == bytes && m->read[i].threads == threads)
			return m->read[i].rate;
	return 0;
}

static double peak_rate(const struct eng_machine *m, const struct eng_peak *like, int threads)
{
	for (int i = 0; i < m->n_peak; i++)
		if (!strcmp(m->peak[i].isa, like->isa) && !strcmp(m->peak[i].type, like->type) &&
		    m->peak[i].threads == threads)
			return m->peak[i].rate;
	return 0;
}

static void print_reads(const struct eng_machine *m, const int *counts, int n)
{
	char size[32];

	head("read, GB/s", counts, n);
	for (int i = 0; i < m->n_read; i++) {
		if (m->read[i].threads != counts[0])
			continue;
		printf("  %-*s", LEFT, units_bytes(size, sizeof size, m->read[i].bytes));
		for (int k = 0; k < n; k++)
			cell(read_rate(m, m->read[i].bytes, counts[k]));
		putchar('\n');
	}
}

static void print_peaks(const struct eng_machine *m, const int *counts, int n)
{
	char left[64];

	head("arithmetic, Gop/s", counts, n);
	for (int i = 0; i < m->n_peak; i++) {
		if (m->peak[i].threads != counts[0])
			continue;
		snprintf(left, sizeof left, "%s %s", m->peak[i].type, m->peak[i].isa);
		printf("  %-*s", LEFT, left);
		for (int k = 0; k < n; k++)
			cell(peak_rate(m, &m->peak[i], counts[k]));
		putchar('\n');
	}
}

static const char *when_text(int64_t when, const char *form, char *buf, size_t size)
{
	const time_t t = (time_t)when;
	struct tm tm;

	if (!localtime_r(&t, &tm) || !strftime(buf, size, form, &tm))
		snprintf(buf, size, "some time ago");
	return buf;
}

static void print_text(const struct machine *m)
{
	char memory[32], when[64], isa[128], took[32];
	int counts[MAX_COUNTS];
	const int n = thread_counts(&m->limits, counts);
	struct str cpu;

	str_init(&cpu, 0);
	termtext_whole(m->cpu, strlen(m->cpu), 0, &cpu);
	printf("%s\n%d core%s, %s, %s\n", cpu.p, m->limits.threads, m->limits.threads > 1 ? "s" : "",
	       units_bytes(memory, sizeof memory, m->memory), eng_isa_names(isa, sizeof isa));
	printf("measured %s, which took %s\n", when_text(m->when, "%Y-%m-%d %H:%M", when, sizeof when),
	       units_time(took, sizeof took, m->limits.ns));
	print_reads(&m->limits, counts, n);
	print_peaks(&m->limits, counts, n);
	str_release(&cpu);
}

/* -- JSON ---------------------------------------------------------------------------- */

static json_t *to_json(const struct machine *m)
{
	static const struct machine_names names = { "buffer_bytes", "gb_per_s", "gop_per_s", 1e9 };
	json_t *o = json_object();
	char isa[128], when[64];

	field_text(o, "cpu", m->cpu);
	field_known(o, "cores", m->limits.threads);
	field_known(o, "memory_bytes", (int64_t)m->memory);
	field_text(o, "isa", eng_isa_names(isa, sizeof isa));
	field_text(o, "measured", when_text(m->when, "%Y-%m-%dT%H:%M:%S%z", when, sizeof when));
	field_real(o, "seconds", (double)m->limits.ns / 1e9);
	machine_add_limits(o, &m->limits, &names);
	return o;
}

static int print_json(const struct machine *m)
{
	json_t *o = to_json(m);
	const int bad = !o || json_dumpf(o, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(6)) < 0;
	struct err e;

	json_decref(o);
	if (bad) {
		err_set(&e, cmd_reader_gone() ? ERR_PIPE : ERR_IO, "cannot write what this machine is");
		return cmd_fail(&e);
	}
	putchar('\n');
	return EXIT_OK;
}

int show_machine(const struct opts *o)
{
	struct machine m;
	struct err e = { 0 }, unkept;
	struct meter meter;
	int r;

	interrupt_catch();
	meter_init(&meter, "measuring this machine");
	r = machine_get(o->again, meter_progress, &meter, &m, &unkept, &e);
	meter_clear(&meter);
	if (r < 0)
		return e.code == ERR_CANCELLED && interrupt_seen() ? interrupt_exit() : cmd_fail(&e);
	if (unkept.code)
		cmd_note("the figures are not kept: %s", unkept.msg);
	if (o->format && !strcmp(o->format, "json"))
		return print_json(&m);
	print_text(&m);
	return EXIT_OK;
}
