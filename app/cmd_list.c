/* The verb list: the models that are on this machine, whoever keeps them. */
#include "config.h"
#include "app/cmd.h"
#include "app/field.h"
#include "app/store.h"
#include "app/termtext.h"
#include "app/units.h"

#include <stdio.h>
#include <string.h>
#include <uniwidth.h>

/* -- for people ---------------------------------------------------------------------- */

/* A cell: text of a model, printable. */
typedef void cell_fn(const struct store_model *m, struct str *out);

static void cell_id(const struct store_model *m, struct str *out)
{
	termtext_whole(m->id, strlen(m->id), 0, out);
}

static void cell_level(const struct store_model *m, struct str *out)
{
	str_adds(out, *m->level ? m->level : "-");
}

static void cell_size(const struct store_model *m, struct str *out)
{
	char buf[32];

	str_adds(out, units_bytes(buf, sizeof buf, m->bytes));
}

static void cell_params(const struct store_model *m, struct str *out)
{
	char buf[32];

	str_adds(out, m->n_params ? units_params(buf, sizeof buf, m->n_params) : "-");
}

static void cell_class(const struct store_model *m, struct str *out)
{
	str_adds(out, m->n_params ? eng_class_name(m->cls) : "-");
}

static void cell_family(const struct store_model *m, struct str *out)
{
	const char *family = m->family ? m->family : *m->arch ? m->arch : "-";

	termtext_whole(family, strlen(family), 0, out);
}

static void cell_place(const struct store_model *m, struct str *out)
{
	str_adds(out, m->place);
}

static const struct column {
	const char *title;
	cell_fn *cell;
	bool right;
} columns[] = {
	{ "name", cell_id, false },
	{ "level", cell_level, false },
	{ "size", cell_size, true },
	{ "weights", cell_params, true },
	{ "class", cell_class, false },
	{ "family", cell_family, false },
	{ "from", cell_place, false },
};

enum { N_COLUMNS = sizeof columns / sizeof *columns };

static int text_width(const char *s)
{
	return u8_strwidth((const uint8_t *)s, "UTF-8");
}

static void put_cell(struct str *line, const struct column *c, const char *text, int width, bool last)
{
	const int pad = width - text_width(text);

	for (int i = 0; c->right && i < pad; i++)
		str_addc(line, ' ');
	str_adds(line, text);
	for (int i = 0; !c->right && !last && i < pad; i++)
		str_addc(line, ' ');
	if (!last)
		str_adds(line, "  ");
}

/* Widths of the columns: titles and what stands below them. */
static void measure(const struct store *s, int *width)
{
	struct str cell;

	str_init(&cell, 0);
	for (int k = 0; k < N_COLUMNS; k++) {
		width[k] = (int)strlen(columns[k].title);
		for (size_t i = 0; i < s->n; i++) {
			str_clear(&cell);
			columns[k].cell(&s->models[i], &cell);
			if (text_width(cell.p) > width[k])
				width[k] = text_width(cell.p);
		}
	}
	str_release(&cell);
}

static void put_why(struct str *line, const char *what, const char *why)
{
	str_addf(line, "\n    %s: ", what);
	termtext_whole(why, strlen(why), 0, line);
}

static void put_model(struct str *line, const struct store_model *m, const int *width)
{
	struct str cell;

	str_init(&cell, 0);
	for (int k = 0; k < N_COLUMNS; k++) {
		str_clear(&cell);
		columns[k].cell(m, &cell);
		put_cell(line, &columns[k], cell.p, width[k], k == N_COLUMNS - 1);
	}
	str_release(&cell);
	if (m->damaged)
		put_why(line, "damaged", m->damaged);
	else if (m->note)
		put_why(line, "cannot be run", m->note);
	if (m->damaged)
		put_why(line, "file", m->path);
}

static int print_text(const struct store *s)
{
	int width[N_COLUMNS];
	struct str line;

	if (!s->n) {
		cmd_note("no models are here: ./bootstrap run gets one; folders of your own go into tidbit.conf");
		return EXIT_OK;
	}
	measure(s, width);
	str_init(&line, 0);
	for (int k = 0; k < N_COLUMNS; k++)
		put_cell(&line, &columns[k], columns[k].title, width[k], k == N_COLUMNS - 1);
	puts(line.p);
	for (size_t i = 0; i < s->n; i++) {
		str_clear(&line);
		put_model(&line, &s->models[i], width);
		puts(line.p);
	}
	str_release(&line);
	return EXIT_OK;
}

/* -- JSON ---------------------------------------------------------------------------- */

static json_t *model_json(const struct store_model *m)
{
	json_t *o = json_object(), *names = json_array();

	field_text(o, "id", m->id);
	field_text(o, "name", m->name);
	for (int i = 0; i < m->n_names; i++)
		json_array_append_new(names, field_string(m->names[i]));
	json_object_set_new(o, "names", names);
	field_text(o, "level", m->level);
	field_text(o, "family", m->family);
	field_text(o, "architecture", m->arch);
	field_text(o, "class", m->n_params ? eng_class_name(m->cls) : NULL);
	field_known(o, "parameters", m->n_params);
	field_count(o, "file_bytes", m->bytes);
	field_text(o, "from", m->place);
	field_text(o, "path", m->path);
	field_text(o, "sha256", m->digest);
	field_text(o, "damaged", m->damaged);
	field_text(o, "note", m->note);
	return o;
}

static int print_json(const struct store *s)
{
	json_t *all = json_array();
	struct err e;
	int bad;

	for (size_t i = 0; all && i < s->n; i++)
		json_array_append_new(all, model_json(&s->models[i]));
	bad = !all || json_dumpf(all, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII) < 0;
	json_decref(all);
	if (bad) {
		err_set(&e, cmd_reader_gone() ? ERR_PIPE : ERR_IO, "cannot write the list of models");
		return cmd_fail(&e);
	}
	putchar('\n');
	return EXIT_OK;
}

/* What to type, a line each, of those that can be opened: for completion. */
static int print_names(const struct store *s)
{
	struct str line;

	str_init(&line, 0);
	for (size_t i = 0; i < s->n; i++) {
		if (s->models[i].damaged || s->models[i].note)
			continue;
		str_clear(&line);
		cell_id(&s->models[i], &line);
		puts(line.p);
	}
	str_release(&line);
	return EXIT_OK;
}

static int print(const struct store *s, const char *form)
{
	static const struct { const char *form; int (*print)(const struct store *s); } forms[] = {
		{ "json", print_json }, { "names", print_names },
	};

	for (size_t i = 0; form && i < sizeof forms / sizeof *forms; i++)
		if (!strcmp(forms[i].form, form))
			return forms[i].print(s);
	return print_text(s);
}

/* -- the verb ------------------------------------------------------------------------ */

static int run(struct opts *o)
{
	struct store s = { 0 };
	struct err e;
	int code;

	if (store_scan(&s, o->folders, &e) < 0)
		return cmd_fail(&e);
	code = print(&s, o->format);
	if (s.cut)
		cmd_note("there is more than is listed: folders with too many files");
	store_release(&s);
	return code;
}

static const char *const takes[] = { "output-list", "help", NULL };

static const char *const notes[] = {
	"Looks into $XDG_DATA_HOME/tidbit/models, the folders that tidbit.conf names (folder = PATH in [models]), and the "
	"stores of LM Studio, the Hugging Face cache, llama.cpp, GPT4All, Jan and Ollama; those are never written. Only "
	"headers are read. A model in parts is one line, and so is a file behind several links or names.",
	"",
	"Wherever a file is asked for, a name of this list will do: its name here, \"NAME:LEVEL\", the file's name, "
	"\"org/repo\" where a store tells it, each in any case, also behind \"FROM/\".",
	"",
	"-o names prints what to type for those that can be opened, a line each.",
	"",
	"-o json prints an array of objects; what is not known is null:",
	"- id: what to type to mean this one and no other; names: what else it goes by, a list",
	"- name, level, family, architecture, class, parameters: what it is, as show tells it",
	"- file_bytes: of the file, of all parts",
	"- from: tidbit, folder, lmstudio, hf, llama.cpp, gpt4all, jan or ollama; path: its file, or its first part",
	"- sha256: where its store tells it",
	"- damaged: why it cannot be read; note: why it cannot be run although it is sound",
	NULL
};

const struct cmd cmd_list = {
	.name = "list", .args = "", .help = "the models on this machine: names, levels, sizes, where from",
	.opts = takes, .notes = notes, .run = run,
};
