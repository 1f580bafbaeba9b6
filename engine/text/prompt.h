/*
 * Conversation → token ids: messages through the model's chat template into spans,
 * spans into ids. What an assistant message was sampled as stays what it is: its ids
 * stand for its text while the text is unchanged.
 */
#ifndef ENGINE_TEXT_PROMPT_H
#define ENGINE_TEXT_PROMPT_H

#include "engine/text/jinja.h"
#include "engine/text/vocab.h"

struct prompt_part { const char *text; size_t len; };

/* One message. Strings are borrowed for the call. */
struct prompt_msg {
	const char *role;		/* "system", "user", "assistant", "tool" */
	const char *text;
	size_t len;
	/* assistant: the ids that were sampled for exactly this text, or NULL; without the end token */
	const int32_t *ids;
	size_t n_ids;
	size_t rest;			/* where the answer begins behind the thinking; 0: at the start */
	/* the content as a list of texts, in place of text */
	const struct prompt_part *parts;
	size_t n_parts;
};

struct prompt_opts {
	bool add_generation_prompt;	/* end with the header of the next answer */
	int thinking;			/* enable_thinking: 1, 0, or -1 to leave it undefined */
	const char *tools_json;		/* a JSON array, or NULL */
};

struct prompt_template;

/* Kinds that `show` names: "chatml", "llama3", "gemma", "phi3", …, "custom"; "none" when the file has none. */
const char *prompt_kind(const char *src, size_t n);

/* Compiles the file's template. ERR_NOT_FOUND when it has none. */
int prompt_load(struct prompt_template **out, const struct gguf *g, const struct vocab *v, struct err *e);
/* The same from source. v (may be NULL) tells bos_token and eos_token; where (may be NULL) the place of an error. */
int prompt_compile(struct prompt_template **out, const char *src, size_t n, const struct vocab *v,
		   struct jinja_where *where, struct err *e);
/*
 * For a vocabulary whose file has no template: that of the family whose control tokens it has,
 * or whose architecture it is (NULL: not known).
 * Returns what to say of it, or NULL (and *out) when there is none.
 */
const char *prompt_of_family(struct prompt_template **out, const struct vocab *v, const char *arch);
void prompt_free(struct prompt_template *t);

/* Renders messages to text and spans (what `template` shows). */
int prompt_render(const struct prompt_template *t, const struct vocab *v, const struct prompt_msg *msgs, size_t n,
		const struct prompt_opts *opts, struct jinja_out *out, struct err *e);
/*
 * Renders with the variables of a JSON object. Strings are the user's but for bos_token and
 * eos_token, which the object may set. now (may be NULL) is the clock of strftime_now.
 */
int prompt_render_json(const struct prompt_template *t, const char *context, size_t n, const struct tm *now,
		       struct jinja_out *out, struct jinja_where *where, struct err *e);

/* And on to ids, appended to out; BOS once. */
int prompt_encode(const struct prompt_template *t, const struct vocab *v, const struct prompt_msg *msgs, size_t n,
		const struct prompt_opts *opts, struct ids *out, struct err *e);
/*
 * A rendering to ids. Where a message that was sampled stands in it once, unchanged, and a
 * control token follows, its ids stand for it. What comes before is then tokenized on its
 * own, as it was when the message was sampled; what comes after begins with a control token
 * and so is the same on its own. Without that token the text would run on across the edge:
 * there the message is tokenized like any other. msgs may be NULL (n 0).
 */
int prompt_encode_out(const struct vocab *v, const struct jinja_out *r, const struct prompt_msg *msgs, size_t n,
		      struct ids *out, struct err *e);

#endif
