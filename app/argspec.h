/*
 * Arguments as help spells them: "MODEL [PROMPT]", "[LEVEL|+|-] [--borrowed] [--go-on]". What follows
 * what is read from that same text by completion: words stand one after the other, | parts what may stand
 * in one place, brackets say what may be left out. CAPITALS stand for something (what completes them is
 * the caller's to know); what begins with - is an option, and stands in any place; all else is meant as it is.
 */
#ifndef APP_ARGSPEC_H
#define APP_ARGSPEC_H

#include <stdbool.h>
#include <stddef.h>

enum { ARGSPEC_WORD = 40, ARGSPEC_OPTIONS = -1 };

/* The i-th word that may stand in the n-th place (from 0; ARGSPEC_OPTIONS: the options); false after the last. */
bool argspec_word(const char *spec, int n, int i, char buf[ARGSPEC_WORD]);
/* Does the word stand for something? */
bool argspec_stands(const char *word);

#endif
