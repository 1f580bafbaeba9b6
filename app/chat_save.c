/* /quant --save: a level goes to a file while the conversation goes on. */
#include "config.h"
#include "app/chat_impl.h"
#include "app/paths.h"
#include "app/saver.h"
#include "app/termtext.h"
#include "engine/base/os.h"
#include "engine/base/xio.h"

#include <string.h>
#include <strings.h>
#include <unistd.h>

/* "DIR/SmolLM2-135M-Instruct.Q4_0.gguf": beside the model. */
static void beside(const char *model, const char *level, struct str *out)
{
	const char *slash = strrchr(model, '/');
	char *name = chat_short_name(model);

	str_add(out, model, slash ? (size_t)(slash + 1 - model) : 0);
	str_addf(out, "%s.%s.gguf", name ? name : "model", level);
	mem_free(name);
}

static void start(struct chat *c, const char *level, const char *path)
{
	struct str shown;
	struct err e;

	if (!access(path, F_OK)) {
		chat_complain(c, "%s is there already: /quant %s --save FILE names another", path, level);
		return;
	}
	if (saver_new(&c->saver, c->loop, c->info->path, path, level, c->o->threads, &e)) {
		chat_complain(c, "%s", e.msg);
		return;
	}
	c->saving = mem_strdup(path);
	str_init(&shown, 4096);
	termtext_whole(path, strlen(path), 0, &shown);
	chat_note(c, "%s is being written to %s; Ctrl-C stops that when nothing else runs", level, shown.p);
	str_release(&shown);
}

void chat_save_level(struct chat *c, int level, const char *file)
{
	const char *name = c->levels[level].name;
	struct str path;
	struct err e;

	if (c->saver) {
		chat_complain(c, "a level is being written already");
		return;
	}
	if (c->levels[level].own && !*file) {
		chat_complain(c, "%s is what the file holds", name);
		return;
	}
	str_init(&path, 1 << 16);
	if (!*file)
		beside(c->info->path, name, &path);
	else if (paths_expand(file, &path, &e) < 0)
		str_clear(&path);
	if (path.len && !path.failed)
		start(c, name, path.p);
	else
		chat_complain(c, "%s: no such place", file);
	str_release(&path);
}

bool chat_pump_saver(struct chat *c)
{
	struct eng_quantize_result r;
	char bytes[32];
	struct err e;

	if (!c->saver)
		return false;
	if (!saver_ended(c->saver, &c->saved, &c->to_save))
		return true;
	if (!saver_free(c->saver, &r, &e))
		chat_note(c, "%s is written: %s, %.2f bits per weight, %s", c->saving ? c->saving : "it", r.level, r.bpw,
			  chat_bytes(bytes, sizeof bytes, r.bytes_out));
	else if (e.code == ERR_CANCELLED)
		chat_note(c, "stopped: nothing is left of %s", c->saving ? c->saving : "it");
	else
		chat_complain(c, "%s", e.msg);
	c->saver = NULL;
	mem_free(c->saving);
	c->saving = NULL;
	return true;
}
