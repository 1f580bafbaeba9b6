/* Names of levels and of tensor types as users write them: checked, with the nearest told for a wrong one. */
#ifndef APP_LEVELNAME_H
#define APP_LEVELNAME_H

#include "engine/engine.h"

/* `what` names the option in messages ("-q"). ERR_ARG tells the nearest and all there are. */
int levelname_check(const char *what, const char *name, struct err *e);
/* The same for a list with commas. */
int levelname_check_list(const char *what, const char *list, struct err *e);
/* The same for a type of tensors: "Q5_1". */
int levelname_check_type(const char *what, const char *name, struct err *e);

/* What getting a level (NULL: the file's own) of the model is called: "loading", "making Q4_0". Returns buf. */
const char *levelname_work(char *buf, size_t size, const struct eng_info *info, const char *level);

#endif
