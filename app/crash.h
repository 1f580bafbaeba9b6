/*
 * The signals that would end the program and that no loop answers: faults, abort(), Ctrl-\ where it is a signal,
 * timers. Whoever has changed the terminal puts it back first; then the signal is for whoever had it before (a
 * sanitizer, the default). One that is ignored stays so. One at a time in a program; main thread, but for what is
 * called in the handler.
 */
#ifndef APP_CRASH_H
#define APP_CRASH_H

/*
 * put_back: called in the handler, in any thread, and may do only what signal handlers may. Take them before
 * models are mapped (engine/format/map.h), and give back what was there before.
 */
void crash_take(void (*put_back)(void));
void crash_give(void);

#endif
