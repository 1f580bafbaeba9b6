/* The verb chat: finds the model to talk with and opens the conversation. */
#include "config.h"
#include "app/cmd.h"
#include "app/paths.h"
#include "engine/base/str.h"

#include <string.h>

static int take_model(struct opts *o, int i, const char *arg)
{
	if (i > 0 || o->model_set)
		return -1;
	o->model = arg;
	return 0;
}

static int run(struct opts *o)
{
	struct str path;
	struct err e;
	bool shipped = false;
	int code;

	str_init(&path, 0);
	if (!o->model) {
		if (paths_default_model(&path, &shipped, &e) < 0) {
			code = cmd_fail(&e);
			goto out;
		}
		o->model = path.p;
		if (shipped)
			o->note = "No model was named and none is fetched yet: this is stories260K, a tiny one "
				  "that only tells stories. ./bootstrap run gets one to talk with.";
	}
	code = cmd_open_chat(o);
out:
	str_release(&path);
	return code;
}

static const char *const takes[] = {
	"model", "system", "raw", "think", "tools", "stop", "context-policy", "null",
	"temp", "top-k", "top-p", "min-p", "repeat-penalty", "seed", "max-tokens",
	"level", "kv", "ctx", "force", "threads", "isa", "chunk", "stats", "plain", "ascii", "act", "mode",
	"theme", "gauges", "bell", "mouse", "bidi", "private", "offline", "help", NULL
};

static const char *const notes[] = {
	"From a pipe or a file each line is a message, or a command (/help lists them), and each answer ends with a line "
	"end. The exit code is 1 when something of it could not be done.",
	NULL
};

const struct cmd cmd_chat = {
	.name = "chat", .args = "[MODEL]",
	.help = "talk with a model: the screen on a terminal, plain lines otherwise (the default verb)",
	.opts = takes, .positional = take_model, .run = run, .notes = notes,
};
