/*
 * The screen on a pseudo terminal of the test's: how soon keys are seen while the model runs on all
 * cores, any size at any time, terminals that take nothing, idle panes. Every byte that is sent is checked.
 * A part of each campaign here; all of it with TIDBIT_CAMPAIGN=1 (make screen-campaign).
 */
#include "config.h"
#include "engine/base/os.h"
#include "t/lib/model.h"
#include "t/lib/scr.h"
#include "t/lib/tap.h"
#include "t/lib/tmp.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif
/* Times say nothing with this one, and it has a thread of its own that wakes. */
#if defined(__SANITIZE_THREAD__)
enum { SLOW = 1 };
#else
enum { SLOW = 0 };
#endif

static bool full;
static char *model, *large;		/* the shipped one; one that takes its time, or NULL */

static int amount(int part, int all)
{
	return full ? all : part;
}

static int by_value(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* Sorts; the value below which that part of them is. */
static double part(double *v, int n, double p)
{
	qsort(v, (size_t)n, sizeof *v, by_value);
	return n ? v[(int)((n - 1) * p + 0.5)] : 0;
}

static void begin_answer(struct screenpty *s)
{
	const uint64_t from = s->total;

	scr_type(s, "One day\r");
	scr_wait(s, from, "answering");
}

/* -- keys ----------------------------------------------------------------------------- */

/* A letter that no answer has: milliseconds until it is drawn. */
static double key_ms(struct screenpty *s, int i)
{
	/* Cyrillic and Greek by turns: what stood there before is another letter */
	const char letter[] = { (char)(i / 16 % 2 ? 0xce : 0xd0), (char)(0xb1 + i % 14), 0 };
	const uint64_t from = s->total;

	if (i % 16 == 0) {
		scr_type(s, "\025");
		screenpty_read(s, 20, 60);
	}
	screenpty_type(s, letter, 2);
	return screenpty_until(s, from, letter, 5000);
}

static void test_keys(bool paging)
{
	const int n = amount(48, 500);
	struct screenpty *s = scr_open(large ? large : model, 40, 118, "-c", "8000");
	double *ms = calloc((size_t)n, sizeof *ms), p50, p99;
	int lost = 0;

	begin_answer(s);
	for (int i = 0; i < n; i++) {
		if (paging)
			scr_type(s, i % 32 < 24 ? "\033[5~" : "\033[6~");
		screenpty_read(s, 33, 33);
		ms[i] = key_ms(s, i);
		lost += ms[i] < 0;
	}
	p50 = part(ms, n, 0.5);
	p99 = part(ms, n, 0.99);
	ok(!lost, "each of %d keys is seen while an answer streams%s", n, paging ? " and pages turn" : "");
	/* what else the machine does falls on the slowest few */
	ok(SLOW || (full ? p99 : p50) <= 50 * tap_patience(), "within 50 ms%s: half of them in %.1f, 99 of 100 in %.1f",
	   paging ? ", while pages turn thirty times a second" : "", p50, p99);
	free(ms);
	scr_finish(s, "keys");
}

/* -- sizes ---------------------------------------------------------------------------- */

static void test_sizes(void)
{
	const int n = amount(25, 1000);
	struct screenpty *s = scr_open(model, 40, 118, "-c", "400000");
	double *ms = calloc((size_t)n, sizeof *ms), p99;
	int timed = 0, late = 0;

	begin_answer(s);
	for (int i = 0; i < n && screenpty_alive(s); i++) {
		const int rows = i % 9 ? 1 + (int)scr_draw(i % 3 ? 60 : 200) : 1, cols = i % 7 ? 1 + (int)scr_draw(i % 3 ? 160 : 500) : 1;
		const uint64_t from = s->total;

		screenpty_size(s, rows, cols);
		if (rows >= 16 && cols >= 80) {
			ms[timed] = screenpty_until(s, from, "tidbit", 5000 * tap_patience());
			late += ms[timed++] < 0;
		} else {
			screenpty_read(s, 5, 20);
		}
	}
	p99 = part(ms, timed, full ? 0.99 : 0.5);
	ok(screenpty_alive(s) && timed && !late, "%d random sizes while an answer streams", n);
	ok(p99 <= 100 * tap_patience(), "drawn again within 100 ms (%.1f)", p99);
	free(ms);
	scr_finish(s, "sizes");
}

/* -- a terminal that takes nothing ---------------------------------------------------- */

static void test_held(bool ctrl_s)
{
	const char *what = ctrl_s ? "held by Ctrl-S" : "that nobody reads";
	const char *m = large ? large : model;
	const char *args[] = { "chat", m, "--seed", "7", "--temp", "0.9", "--isa", "scalar", "-c", "8000", NULL };
	struct screenpty *s = screenpty_open(40, 118, args);
	struct screenpty_use before, after;
	double grown;
	int status;

	scr_wait(s, 0, "Enter");
	screenpty_read(s, 300, 3000);
	begin_answer(s);
	scr_type(s, "half a thought");
	screenpty_read(s, 100, 1500);
	if (ctrl_s)
		scr_type(s, "\023");
	if (ctrl_s)
		screenpty_read(s, 200, 500);
	screenpty_use(s, &before);
	sleep((unsigned)amount(2, 10));
	screenpty_use(s, &after);
	grown = ((double)after.rss - (double)before.rss) / (1 << 20);
	ok(after.cpu_ticks > before.cpu_ticks + (SLOW ? 2 : 20), "a terminal %s: the answer goes on (%llu ticks)", what,
	   (unsigned long long)(after.cpu_ticks - before.cpu_ticks));
	if (large && !SANITIZED)
		ok(grown < 8 && grown > -8, "and takes no memory for what is not shown (%.1f MiB)", grown);
	kill(s->pid, SIGTERM);
	status = screenpty_end(s, ctrl_s, 5000 * tap_patience());
	ok(WIFEXITED(status) && WEXITSTATUS(status) == 128 + SIGTERM, "a terminal %s: it ends by the signal (%d)", what, status);
	ok(screenpty_restored(s), "a terminal %s: the modes are as before", what);
	ok(scr_left("draft-", "half a thought"), "a terminal %s: what was typed is kept", what);
	ok(scr_left("chat-", "One day"), "a terminal %s: the conversation is kept", what);
	screenpty_close(s);
}

/* -- idle ----------------------------------------------------------------------------- */

static void test_idle(void)
{
	static const struct { const char *name, *open, *close; } panes[] = {
		{ "the conversation", "", "" }, { "the help", "\033OP", "\033OP" }, { "the models", "\033OR", "\033" },
		{ "the bare view", "\033[19~", "\033[19~" }, { "the focus", "\017", "" }, { "the search", "/", "\033" },
		{ "a message", "\017word", "" },
	};
	struct screenpty *s = scr_open(model, 40, 118, "-n", "20");
	const uint64_t from = s->total;

	scr_type(s, "One day\r");
	scr_wait(s, from, "token limit");
	for (size_t i = 0; i < sizeof panes / sizeof *panes && (full || i < 4); i++) {
		struct screenpty_use before, after;
		uint64_t sent;

		scr_type(s, panes[i].open);
		screenpty_read(s, 2200, 6000);
		sent = s->total;
		screenpty_use(s, &before);
		screenpty_read(s, amount(700, 10000), amount(700, 10000));
		screenpty_use(s, &after);
		ok(before.switches && (SLOW || after.switches == before.switches) && after.cpu_ticks == before.cpu_ticks && s->total == sent,
		   "%s: nothing is done while nothing happens (%llu switches, %llu ticks, %llu bytes)", panes[i].name,
		   (unsigned long long)(after.switches - before.switches), (unsigned long long)(after.cpu_ticks - before.cpu_ticks),
		   (unsigned long long)(s->total - sent));
		scr_type(s, panes[i].close);
	}
	screenpty_read(s, 200, 1000);
	scr_finish(s, "idle");
}

/* -- what the terminal answers -------------------------------------------------------- */

/* One that orders text until it is told not to, and whose wheel walks through lines, has both back however we end. */
static void test_answers(int sig)
{
	const char *how = sig == SIGTERM ? "a signal" : "a crash";
	struct screenpty *s = scr_open(model, 24, 80, "-n", "4");
	uint64_t from = s->total;

	ok(screenpty_until(s, 0, "\033[8$p\033[?1007$p\033[c", 0) >= 0 && screenpty_until(s, 0, "\033[?1007l", 0) >= 0, "the terminal is asked");
	scr_type(s, "\033[8;1$y\033[?1007;1$y\033[?62;22c");
	ok(screenpty_until(s, from, "\033[8l", 3000 * tap_patience()) >= 0, "its answer switches its own order off");
	from = s->total;
	scr_type(s, "/set bidi terminal\r");
	ok(screenpty_until(s, from, "\033[8h", 3000 * tap_patience()) >= 0, "/set bidi terminal switches it on");
	from = s->total;
	scr_type(s, "/set bidi auto\r");
	ok(screenpty_until(s, from, "\033[8l", 3000 * tap_patience()) >= 0, "/set bidi auto off again");
	from = s->total;
	kill(s->pid, sig);
	ok(screenpty_end(s, true, 5000 * tap_patience()) >= 0 && screenpty_until(s, from, "\033[8h", 0) >= 0 &&
	   screenpty_until(s, from, "\033[?1007h", 0) >= 0 && screenpty_until(s, from, "\033[23;0t", 0) >= 0, "after %s both and the title are back", how);
	ok(screenpty_restored(s) && !s->odd[0], "after %s: %s", how, s->odd);
	screenpty_close(s);
	scr_clean();
}

/* -- vi ------------------------------------------------------------------------------- */

/* Milliseconds until anything is drawn. */
static double drawn_ms(struct screenpty *s, const char *typed)
{
	const uint64_t from = s->total;
	const int64_t start = os_now_ns();

	scr_type(s, typed);
	while (s->total == from && os_now_ns() - start < 5000000000)
		screenpty_read(s, 1, 1);
	return (double)(os_now_ns() - start) / 1e6;
}

/* In insert mode Esc is readline's, at once, whatever time inputrc gives to sequences; also when that has been read again. */
static void test_vi(void)
{
	static const char inputrc[] = "set editing-mode vi\nset keyseq-timeout 3000\n\"\\C-t\": re-read-init-file\n";
	struct screenpty *s;
	char path[600];

	snprintf(path, sizeof path, "%s/.inputrc", getenv("HOME"));
	tmp_write(path, inputrc, sizeof inputrc - 1);
	s = scr_open(model, 24, 80, "-n", "4");
	for (int again = 0; again < 2; again++) {
		double ms[9], half;
		uint64_t from = s->total;
		int bad = 0;

		scr_type(s, again ? "\024abc" : "abc");
		scr_wait(s, from, "c");
		screenpty_read(s, 100, 1000);
		for (int i = 0; i < 9; i++) {
			/* the caret goes back; a letter that is Meta's, or typed, would be seen */
			ms[i] = drawn_ms(s, "\033");
			screenpty_read(s, 100, 1000);
			scr_type(s, "$a");
			screenpty_read(s, 100, 1000);
		}
		half = part(ms, 9, 0.5);
		ok(SLOW || half <= 80 * tap_patience(), "vi: Esc alone acts within 80 ms (%.1f)%s", half, again ? ", after inputrc was read again" : "");
		scr_type(s, "\033");
		screenpty_read(s, 100, 1000);
		from = s->total;
		scr_type(s, "xade\014");
		bad = screenpty_until(s, from, "abde", 3000 * tap_patience()) < 0;
		ok(!bad, "vi: x takes a character away, a goes on behind");
		from = s->total;
		scr_type(s, "\033ddiw\014");
		scr_wait(s, from, "w");
		screenpty_read(s, 100, 1000);
		scr_type(s, "\003");
		screenpty_read(s, 100, 1000);
	}
	scr_finish(s, "vi");
	unlink(path);
}

/* -- SIGINT --------------------------------------------------------------------------- */

/* It comes with the message whose answer it is meant for, and again when that has just ended. */
static void test_interrupt(void)
{
	struct screenpty *s = scr_open(model, 40, 118, "-n", "20");
	uint64_t from;
	int status;

	kill(s->pid, SIGSTOP);
	scr_type(s, "One day\r");
	kill(s->pid, SIGINT);
	kill(s->pid, SIGCONT);
	screenpty_read(s, 500, 3000);
	ok(screenpty_alive(s), "a signal that comes with a message stops its answer");
	from = s->total;
	scr_type(s, "\025One day\r");
	scr_wait(s, from, "token limit");
	kill(s->pid, SIGINT);
	screenpty_read(s, 300, 3000);
	ok(screenpty_alive(s) && screenpty_until(s, from, "had ended already", 0) >= 0, "one that is too late for an answer says so");
	kill(s->pid, SIGINT);
	status = screenpty_end(s, true, 5000 * tap_patience());
	ok(WIFEXITED(status) && WEXITSTATUS(status) == 130, "the next one ends it (%d)", status);
	ok(screenpty_restored(s) && !s->odd[0], "the modes are as before: %s", s->odd);
	screenpty_close(s);
	scr_clean();
}

/* -- the bell ------------------------------------------------------------------------- */

/* Bells since then, without those that end a title. */
static int bells(const struct screenpty *s, uint64_t from)
{
	const uint64_t first = s->total - s->n;
	int n = 0;

	for (size_t i = from > first ? (size_t)(from - first) : 0; i < s->n; i++)
		n += s->kept[i] == '\a' ? 1 : i + 3 < s->n && !memcmp(s->kept + i, "\033]2;", 4) ? -1 : 0;
	return n;
}

/* An answer that lasts, whose end nobody sees; a short one, and one that is looked at, end in silence. */
static void test_bell(void)
{
	struct screenpty *s = scr_open(model, 24, 80, "-c", "400000");
	const int lasts = full ? 11000 : 500;
	uint64_t from = s->total;

	scr_type(s, "\033[O");
	for (int looked = 0; looked < 1 + full; looked++) {
		begin_answer(s);
		scr_type(s, looked ? "\033[I" : "");
		screenpty_read(s, lasts, lasts);
		from = s->total;
		scr_type(s, "\003");
		if (screenpty_until(s, from, "stopped", 3000 * tap_patience()) < 0) {
			tap_skip("the bell: the model had no more to say");
			continue;
		}
		screenpty_read(s, 200, 1000);
		ok(bells(s, from) == (full && !looked), "an answer of %d ms %s rings %d times", lasts,
		   looked ? "that is looked at" : "beside another window", bells(s, from));
	}
	scr_finish(s, "bell");
}

int main(void)
{
	scr_init();
	full = getenv("TIDBIT_CAMPAIGN") != NULL;
	model = shipped_model();
	large = SANITIZED ? NULL : data_path("models/smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf");
	test_keys(false);
	test_keys(true);
	test_sizes();
	test_held(true);
	test_held(false);
	test_idle();
	test_vi();
	test_interrupt();
	test_bell();
	test_answers(SIGTERM);
	test_answers(SIGSEGV);
	free(model);
	free(large);
	return scr_done();
}
