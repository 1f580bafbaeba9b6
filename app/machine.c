#include "config.h"
#include "app/machine.h"
#include "app/field.h"
#include "app/paths.h"
#include "engine/base/os.h"
#include "engine/base/xio.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { FORM = 1, MAX_FILE = 1 << 20 };		/* of the file, and of how is measured: others are measured again */

/* -- which machine ------------------------------------------------------------------- */

static void identify(struct machine *m)
{
	*m = (struct machine){ .memory = os_mem_total(), .limits = { .threads = os_compute_threads() } };
	err_quote(m->cpu, sizeof m->cpu, os_cpu_name(), strlen(os_cpu_name()));
}

/* Memory in GiB: kernels keep a little more or less of it for themselves. */
static uint64_t gib(uint64_t bytes)
{
	return (bytes + (1u << 29)) >> 30;
}

/* FNV-1a of what tells machines apart: short, and good enough for a name; the file says it in full. */
static uint32_t digest(const struct machine *m)
{
	char key[256];
	uint32_t h = 2166136261u;

	snprintf(key, sizeof key, "%s|%d|%" PRIu64, m->cpu, m->limits.threads, gib(m->memory));
	for (const char *p = key; *p; p++)
		h = (h ^ (unsigned char)*p) * 16777619u;
	return h;
}

static int place(const struct machine *m, struct str *folder, struct str *path, struct err *e)
{
	if (paths_dir(PATHS_CACHE, folder, e) < 0)
		return -1;
	str_addf(path, "%s/machine-%08" PRIx32 ".json", folder->p, digest(m));
	return path->failed ? err_set(e, ERR_NOMEM, "no memory for a path") : 0;
}

/* -- reading ------------------------------------------------------------------------- */

/* A number that can have been measured; 0 otherwise. */
static double rate_of(const json_t *o)
{
	const double v = json_number_value(json_object_get(o, "per_second"));

	return isfinite(v) && v > 0 ? v : 0;
}

static int threads_of(const json_t *o, int most)
{
	const json_int_t n = json_integer_value(json_object_get(o, "threads"));

	return n >= 1 && n <= most ? (int)n : 0;
}

static bool take_reads(const json_t *list, struct eng_machine *m)
{
	const json_t *o;
	size_t i;

	json_array_foreach(list, i, o) {
		const json_int_t bytes = json_integer_value(json_object_get(o, "bytes"));
		struct eng_read_rate *r = &m->read[m->n_read];

		if (m->n_read == ENG_MACHINE_READS || bytes <= 0)
			return false;
		*r = (struct eng_read_rate){ (uint64_t)bytes, threads_of(o, m->threads), rate_of(o) };
		if (!r->threads || r->rate <= 0)
			return false;
		m->n_read++;
	}
	return m->n_read > 0;
}

static bool take_peaks(const json_t *list, struct eng_machine *m)
{
	const json_t *o;
	size_t i;

	json_array_foreach(list, i, o) {
		const char *isa = json_string_value(json_object_get(o, "isa"));
		const char *type = json_string_value(json_object_get(o, "type"));
		struct eng_peak *p = &m->peak[m->n_peak];

		if (m->n_peak == ENG_MACHINE_PEAKS || !isa || !type)
			return false;
		*p = (struct eng_peak){ .threads = threads_of(o, m->threads), .rate = rate_of(o) };
		err_quote(p->isa, sizeof p->isa, isa, strlen(isa));
		err_quote(p->type, sizeof p->type, type, strlen(type));
		if (!p->threads || p->rate <= 0)
			return false;
		m->n_peak++;
	}
	return m->n_peak > 0;
}

static bool is_this(const json_t *j, const struct machine *m)
{
	const char *cpu = json_string_value(json_object_get(j, "cpu")), *isa = json_string_value(json_object_get(j, "isa"));
	char now[128];

	return cpu && !strcmp(cpu, m->cpu) && isa && !strcmp(isa, eng_isa_names(now, sizeof now)) && json_integer_value(json_object_get(j, "form")) == FORM &&
	       json_integer_value(json_object_get(j, "threads")) == m->limits.threads &&
	       gib((uint64_t)json_integer_value(json_object_get(j, "memory_bytes"))) == gib(m->memory);
}

/* The machine is identified; the rest is filled in if the file has it. */
static bool recall(const char *path, struct machine *m)
{
	struct machine found = *m;
	struct str text;
	json_t *j = NULL;
	bool good = false;

	str_init(&text, MAX_FILE);
	if (!access(path, R_OK) && !xio_slurp_regular(path, &text, NULL))
		j = json_loadb(text.p, text.len, 0, NULL);
	if (j && is_this(j, m)) {
		found.when = json_integer_value(json_object_get(j, "measured"));
		found.limits.ns = (int64_t)(json_number_value(json_object_get(j, "seconds")) * 1e9);
		good = take_reads(json_object_get(j, "read"), &found.limits) &&
		       take_peaks(json_object_get(j, "peak"), &found.limits);
	}
	if (good)
		*m = found;
	json_decref(j);
	str_release(&text);
	return good;
}

/* -- writing ------------------------------------------------------------------------- */

void machine_add_limits(json_t *o, const struct eng_machine *m, const struct machine_names *names)
{
	json_t *reads = json_array(), *peaks = json_array();

	for (int i = 0; i < m->n_read; i++) {
		const struct eng_read_rate *r = &m->read[i];
		json_t *v = json_object();

		field_count(v, names->bytes, r->bytes);
		field_known(v, "threads", r->threads);
		field_real(v, names->read_rate, r->rate / names->unit);
		json_array_append_new(reads, v);
	}
	for (int i = 0; i < m->n_peak; i++) {
		const struct eng_peak *p = &m->peak[i];
		json_t *v = json_object();

		field_text(v, "isa", p->isa);
		field_text(v, "type", p->type);
		field_known(v, "threads", p->threads);
		field_real(v, names->peak_rate, p->rate / names->unit);
		json_array_append_new(peaks, v);
	}
	json_object_set_new(o, "read", reads);
	json_object_set_new(o, "peak", peaks);
}

static json_t *to_json(const struct machine *m)
{
	static const struct machine_names names = { "bytes", "per_second", "per_second", 1 };
	json_t *o = json_object();
	char isa[128];

	json_object_set_new(o, "form", json_integer(FORM));
	field_text(o, "cpu", m->cpu);
	field_text(o, "isa", eng_isa_names(isa, sizeof isa));
	field_known(o, "threads", m->limits.threads);
	field_count(o, "memory_bytes", m->memory);
	field_known(o, "measured", m->when);
	field_real(o, "seconds", (double)m->limits.ns / 1e9);
	machine_add_limits(o, &m->limits, &names);
	return o;
}

static int keep(const struct machine *m, const char *folder, const char *path, struct err *e)
{
	json_t *j = to_json(m);
	char *text = j ? json_dumps(j, JSON_INDENT(1) | JSON_ENSURE_ASCII) : NULL;
	int r;

	if (!text)
		r = err_set(e, ERR_NOMEM, "%s: no memory for what it is to hold", path);
	else
		r = xio_mkdirs(folder, e) < 0 ? -1 : xio_put(path, text, strlen(text), 0600, 0, e);
	/* jansson's own, by its allocator */
	free(text);
	json_decref(j);
	return r;
}

bool machine_kept(struct machine *out)
{
	struct str folder, path;
	bool found;

	identify(out);
	str_init(&folder, 0);
	str_init(&path, 0);
	found = !place(out, &folder, &path, NULL) && recall(path.p, out);
	str_release(&folder);
	str_release(&path);
	return found;
}

int machine_get(bool again, eng_progress_fn *progress, void *arg, struct machine *out, struct err *unkept,
		struct err *e)
{
	struct str folder, path;
	int r = 0;

	*unkept = (struct err){ 0 };
	identify(out);
	str_init(&folder, 0);
	str_init(&path, 0);
	place(out, &folder, &path, unkept);
	if (again || unkept->code || !recall(path.p, out)) {
		out->when = (int64_t)time(NULL);
		r = eng_probe(0, progress, arg, &out->limits, e);
		if (!r && !unkept->code)
			keep(out, folder.p, path.p, unkept);
	}
	str_release(&folder);
	str_release(&path);
	return r;
}
