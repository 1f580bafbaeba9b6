/* Between chat.c and the files that change its state with it: chat_model.c, chat_turns.c, chat_level.c. */
#ifndef APP_CHAT_IMPL_H
#define APP_CHAT_IMPL_H

#include "app/chat.h"

/* Something visible changed: of an item, or (NULL) of the rest. */
void chat_touch(struct chat *c, struct chat_item *i);
/* The state when nothing tells of itself just now. */
void chat_settle(struct chat *c);
/* An empty item at the end; NULL without memory. */
struct chat_item *chat_add_item(struct chat *c, enum item_kind kind);
/* All items from `at` on go. */
void chat_drop_items(struct chat *c, size_t at);
/* Appends an empty answer to the conversation as it stands, and asks for it; false (and told): it could not. */
bool chat_ask_again(struct chat *c);
/* The files that went before the message wait for the next one, before those that wait already. */
void chat_reattach(struct chat *c, const struct chat_item *q);
/* A level's measured speed is kept while the program runs, and found again for a model that is opened again; 0: none. */
void chat_keep_rate(struct chat *c, const struct chat_level *l);
double chat_known_rate(const struct chat *c, const char *level);
/* An answer is asked for: what is said so far is computed with it. */
void chat_weigh_nothing(struct chat *c);
/* The draft becomes this message. */
void chat_give_back(struct chat *c, const char *text);
/* The answer says whose it is: the model and the level in use. */
void chat_label(struct chat *c, struct chat_item *i);

/* What is said so far, up to the answer that is out, with room for one message more. */
int chat_copy_msgs(const struct chat *c, struct job *j);
/* A message that is being typed is weighed when the worker has time for it; what it told; it could not. */
void chat_weigh_now(struct chat *c);
void chat_on_counted(struct chat *c, struct event *ev);
void chat_failed_count(struct chat *c, struct event *ev);

/* How far a level is that is being written; true when there is something new of it. */
bool chat_pump_saver(struct chat *c);

/* What chat_edit() has marked goes. */
void chat_cut(struct chat *c);

/* Asks the worker for a model, at a level (NULL: as the file has it), and takes what it tells. */
int chat_post_open(struct chat *c, const char *word, const char *level, struct err *e);
void chat_on_opened(struct chat *c, struct event *ev);
void chat_failed_open(struct chat *c, struct event *ev);
/* The level in use is what the worker says it is (chat_level.c). */
void chat_use_level(struct chat *c, const struct level_report *r);
/* "models/SmolLM2-135M-Instruct.Q4_1.gguf" → "SmolLM2-135M-Instruct": short, and what people call it; or NULL. */
char *chat_short_name(const char *path);

#endif
