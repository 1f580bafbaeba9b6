/*
 * Where things are: the folders of the XDG Base Directory specification, the data that comes
 * with the program, and the model to open when none was named. Nothing here creates anything
 * (xio_mkdirs does, 0700).
 */
#ifndef APP_PATHS_H
#define APP_PATHS_H

#include "engine/base/err.h"
#include "engine/base/str.h"

#include <stdbool.h>

enum paths_kind { PATHS_CONFIG, PATHS_DATA, PATHS_STATE, PATHS_CACHE };

/* Appends "$XDG_DATA_HOME/tidbit" and the like; a variable that is unset or not absolute means the
 * specification's default below the home folder. ERR_NOT_FOUND when there is no home folder. */
int paths_dir(enum paths_kind kind, struct str *out, struct err *e);

/* The same without "/tidbit": where other programs keep theirs. */
int paths_base(enum paths_kind kind, struct str *out, struct err *e);
/* Appends a path that the user wrote, with ~ and ~/ at its start made the home folder. */
int paths_expand(const char *path, struct str *out, struct err *e);

/* The program as it was called (argv[0]); main tells it once. Kept, not copied. */
void paths_set_program(const char *argv0);
/*
 * Appends the folder of profiles/: $TIDBIT_PROFILES, else beside the executable (run from the
 * source tree), else ../share/tidbit/profiles from there (an installation that was moved), else
 * where `make install` puts it. ERR_NOT_FOUND when none of them is a folder.
 */
int paths_profiles(struct str *out, struct err *e);

/* The one that bootstrap fetches, and the one that comes with the program. */
#define PATHS_FETCHED_MODEL "SmolLM2-135M-Instruct.Q4_1.gguf"
#define PATHS_SHIPPED_MODEL "stories260K.gguf"
/*
 * Puts into out the model to open when none is named: the fetched one, else the first by name of
 * $XDG_DATA_HOME/tidbit/models, else the shipped one; *shipped tells that it is that.
 */
int paths_default_model(struct str *out, bool *shipped, struct err *e);

#endif
