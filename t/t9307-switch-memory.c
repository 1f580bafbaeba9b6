/*
 * Switches, and makings that are stopped in the middle: the parts of the memory that are told are what the kernel
 * counts after each of them, within 5 % or 24 MiB.
 */
#include "config.h"
#include "app/memory.h"
#include "engine/base/os.h"
#include "t/lib/drive.h"
#include "t/lib/model.h"
#include "t/lib/tap.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif

static const double MIB = 1 << 20;

/* Most of the level is made. */
static bool halfway(const struct chat *c) { return !c->n_switches || (c->to_make && c->made > c->to_make / 2); }

static void add_up(const struct drive *d, const char *what)
{
	struct memory m;
	double gap;

	memory_read(&m, &d->c->g.mem);
	gap = fabs((double)memory_sum(&m) - (double)m.rss);
	ok(m.counted && (gap <= 0.05 * (double)m.rss || gap <= 24 * MIB),
	   "%s: parts of %.1f MiB, %.1f resident (weights %.1f KV %.1f scratch %.1f other %.1f)", what, (double)memory_sum(&m) / MIB,
	   (double)m.rss / MIB, (double)m.weights / MIB, (double)m.kv / MIB, (double)m.scratch / MIB, (double)m.other / MIB);
}

static void switch_to(struct drive *d, const char *level)
{
	char command[32];

	snprintf(command, sizeof command, "/quant %s", level);
	drive_say(d, command);
	add_up(d, command);
}

static void stop_on_the_way(struct drive *d, const char *level)
{
	const int before = d->c->level;
	char text[64];

	snprintf(text, sizeof text, "/quant %s", level);
	chat_submit(d->c, text);
	drive_wait(d, halfway);
	chat_stop(d->c);
	drive_wait(d, drive_idle);
	snprintf(text, sizeof text, "/quant %s, %s", level, d->c->level == before ? "stopped" : "too late to be stopped");
	add_up(d, text);
}

int main(void)
{
	static const char *const levels[] = { "q4_0", "q4_1", "q8_0", "q4_0", "q4_1" };
	char *path = data_path("models/smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf");
	struct drive d;

	if (SANITIZED || !path || os_heap() == SIZE_MAX || os_image() == SIZE_MAX) {
		tap_skip("memory that adds up: %s", SANITIZED ? "a sanitizer's own is in it" : path ? "the system does not count it" :
			 "no reference data");
		free(path);
		return tap_done();
	}
	drive_init(&d, path, 16);
	drive_open(&d);
	drive_wait(&d, drive_opened);
	add_up(&d, "opened");
	stop_on_the_way(&d, "q5_1");
	stop_on_the_way(&d, "q5_1");
	drive_say(&d, "Tell me of the sea.");
	add_up(&d, "an answer");
	for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
		switch_to(&d, levels[i]);
	stop_on_the_way(&d, "tq2_0");
	stop_on_the_way(&d, "q5_1");
	stop_on_the_way(&d, "q8_0");
	drive_close(&d);
	free(path);
	return tap_done();
}
