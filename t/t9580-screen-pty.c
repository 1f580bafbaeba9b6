/*
 * The screen on a pseudo terminal of the test's: how soon keys are seen while the model runs on all
 * cores, any size at any time, terminals that take nothing, idle panes, and every byte that is sent.
 * A part of each campaign here; all of it with TIDBIT_CAMPAIGN=1 (make screen-campaign).
 */
#include "config.h"
#include "engine/base/os.h"
#include "t/lib/model.h"
#include "t/lib/screenpty.h"
#include "t/lib/tap.h"
#include "t/lib/tmp.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
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

/* The same numbers every time. */
static uint32_t draw(uint32_t below)
{
	static uint64_t x = 88172645463325252u;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return (uint32_t)(x >> 32) % below;
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

static void type(struct screenpty *s, const char *text)
{
	screenpty_type(s, text, strlen(text));
}

static void wait_for(struct screenpty *s, uint64_t from, const char *text)
{
	if (screenpty_until(s, from, text, 20000 * tap_patience()) < 0) {
		printf("Bail out! \"%s\" was never seen\n", text);
		screenpty_close(s);
		exit(1);
	}
}

static struct screenpty *open_on(const char *m, int rows, int cols, const char *more, const char *value)
{
	const char *args[] = { "chat", m, "--seed", "7", "--temp", "0.9", more, value, NULL };
	struct screenpty *s = screenpty_open(rows, cols, args);

	if (!s) {
		tap_skip("no program or no pseudo terminal");
		exit(tap_done());
	}
	wait_for(s, 0, "Enter");
	screenpty_read(s, 300, 3000);
	return s;
}

static void begin_answer(struct screenpty *s)
{
	const uint64_t from = s->total;

	type(s, "One day\r");
	wait_for(s, from, "answering");
}

/* Does one of the files of the state hold that? They are gone afterwards. */
static bool file_holds(const char *dir, const char *prefix, const char *text)
{
	char path[1024], buf[4096];
	struct dirent *d;
	bool found = false;
	DIR *f = opendir(dir);

	while (f && (d = readdir(f))) {
		FILE *file;
		size_t n;

		if (strncmp(d->d_name, prefix, strlen(prefix)))
			continue;
		snprintf(path, sizeof path, "%s/%s", dir, d->d_name);
		file = fopen(path, "r");
		n = file ? fread(buf, 1, sizeof buf - 1, file) : 0;
		buf[n] = 0;
		found |= strstr(buf, text) != NULL;
		if (file)
			fclose(file);
		remove(path);
	}
	if (f)
		closedir(f);
	return found;
}

/* The next one begins anew. */
static void clean_state(void)
{
	char state[600];

	snprintf(state, sizeof state, "%s/.local/state/tidbit", getenv("HOME"));
	file_holds(state, "draft-", "");
	file_holds(state, "chat-", "");
	file_holds(state, "messages", "");
}

/* Ends it as a signal does. */
static void finish(struct screenpty *s, const char *what)
{
	int status;

	kill(s->pid, SIGTERM);
	status = screenpty_end(s, true, 5000 * tap_patience());
	ok(WIFEXITED(status) && WEXITSTATUS(status) == 128 + SIGTERM, "%s: it ends by the signal (%d)", what, status);
	ok(screenpty_restored(s), "%s: the terminal's modes are as before", what);
	ok(!s->odd[0], "%s: nothing was sent that is on no list (%s)", what, s->odd);
	screenpty_close(s);
	clean_state();
}

/* -- keys ----------------------------------------------------------------------------- */

/* A letter that no answer has: milliseconds until it is drawn. */
static double key_ms(struct screenpty *s, int i)
{
	/* Cyrillic and Greek by turns: what stood there before is another letter */
	const char letter[] = { (char)(i / 16 % 2 ? 0xce : 0xd0), (char)(0xb1 + i % 14), 0 };
	const uint64_t from = s->total;

	if (i % 16 == 0) {
		type(s, "\025");
		screenpty_read(s, 20, 60);
	}
	screenpty_type(s, letter, 2);
	return screenpty_until(s, from, letter, 5000);
}

static void test_keys(bool paging)
{
	const int n = amount(48, 500);
	struct screenpty *s = open_on(large ? large : model, 40, 118, "-c", "8000");
	double *ms = calloc((size_t)n, sizeof *ms), p50, p99;
	int lost = 0;

	begin_answer(s);
	for (int i = 0; i < n; i++) {
		if (paging)
			type(s, i % 32 < 24 ? "\033[5~" : "\033[6~");
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
	finish(s, "keys");
}

/* -- sizes ---------------------------------------------------------------------------- */

static void test_sizes(void)
{
	const int n = amount(25, 1000);
	struct screenpty *s = open_on(model, 40, 118, "-c", "400000");
	double *ms = calloc((size_t)n, sizeof *ms), p99;
	int timed = 0, late = 0;

	begin_answer(s);
	for (int i = 0; i < n && screenpty_alive(s); i++) {
		const int rows = i % 9 ? 1 + (int)draw(i % 3 ? 60 : 200) : 1, cols = i % 7 ? 1 + (int)draw(i % 3 ? 160 : 500) : 1;
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
	finish(s, "sizes");
}

/* -- a terminal that takes nothing ---------------------------------------------------- */

static void test_held(bool ctrl_s)
{
	const char *what = ctrl_s ? "held by Ctrl-S" : "that nobody reads";
	const char *m = large ? large : model;
	const char *args[] = { "chat", m, "--seed", "7", "--temp", "0.9", "--isa", "scalar", "-c", "8000", NULL };
	struct screenpty *s = screenpty_open(40, 118, args);
	struct screenpty_use before, after;
	char state[512];
	double grown;
	int status;

	snprintf(state, sizeof state, "%s/.local/state/tidbit", getenv("HOME"));
	wait_for(s, 0, "Enter");
	screenpty_read(s, 300, 3000);
	begin_answer(s);
	type(s, "half a thought");
	screenpty_read(s, 100, 1500);
	if (ctrl_s)
		type(s, "\023");
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
	ok(file_holds(state, "draft-", "half a thought"), "a terminal %s: what was typed is kept", what);
	ok(file_holds(state, "chat-", "One day"), "a terminal %s: the conversation is kept", what);
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
	struct screenpty *s = open_on(model, 40, 118, "-n", "20");
	const uint64_t from = s->total;

	type(s, "One day\r");
	wait_for(s, from, "token limit");
	for (size_t i = 0; i < sizeof panes / sizeof *panes && (full || i < 4); i++) {
		struct screenpty_use before, after;
		uint64_t sent;

		type(s, panes[i].open);
		screenpty_read(s, 2200, 6000);
		sent = s->total;
		screenpty_use(s, &before);
		screenpty_read(s, amount(700, 10000), amount(700, 10000));
		screenpty_use(s, &after);
		ok(before.switches && (SLOW || after.switches == before.switches) && after.cpu_ticks == before.cpu_ticks && s->total == sent,
		   "%s: nothing is done while nothing happens (%llu switches, %llu ticks, %llu bytes)", panes[i].name,
		   (unsigned long long)(after.switches - before.switches), (unsigned long long)(after.cpu_ticks - before.cpu_ticks),
		   (unsigned long long)(s->total - sent));
		type(s, panes[i].close);
	}
	screenpty_read(s, 200, 1000);
	finish(s, "idle");
}

/* -- what the terminal answers -------------------------------------------------------- */

/* One that orders text until it is told not to, and whose wheel walks through lines, has both back however we end. */
static void test_answers(int sig)
{
	const char *how = sig == SIGTERM ? "a signal" : "a crash";
	struct screenpty *s = open_on(model, 24, 80, "-n", "4");
	uint64_t from = s->total;

	ok(screenpty_until(s, 0, "\033[8$p\033[?1007$p\033[c", 0) >= 0 && screenpty_until(s, 0, "\033[?1007l", 0) >= 0, "the terminal is asked");
	type(s, "\033[8;1$y\033[?1007;1$y\033[?62;22c");
	ok(screenpty_until(s, from, "\033[8l", 3000 * tap_patience()) >= 0, "its answer switches its own order off");
	from = s->total;
	type(s, "/set bidi terminal\r");
	ok(screenpty_until(s, from, "\033[8h", 3000 * tap_patience()) >= 0, "/set bidi terminal switches it on");
	from = s->total;
	type(s, "/set bidi auto\r");
	ok(screenpty_until(s, from, "\033[8l", 3000 * tap_patience()) >= 0, "/set bidi auto off again");
	from = s->total;
	kill(s->pid, sig);
	ok(screenpty_end(s, true, 5000 * tap_patience()) >= 0 && screenpty_until(s, from, "\033[8h", 0) >= 0 &&
	   screenpty_until(s, from, "\033[?1007h", 0) >= 0 && screenpty_until(s, from, "\033[23;0t", 0) >= 0, "after %s both and the title are back", how);
	ok(screenpty_restored(s) && !s->odd[0], "after %s: %s", how, s->odd);
	screenpty_close(s);
	clean_state();
}

/* -- SIGINT --------------------------------------------------------------------------- */

/* It comes with the message whose answer it is meant for, and again when that has just ended. */
static void test_interrupt(void)
{
	struct screenpty *s = open_on(model, 40, 118, "-n", "20");
	uint64_t from;
	int status;

	kill(s->pid, SIGSTOP);
	type(s, "One day\r");
	kill(s->pid, SIGINT);
	kill(s->pid, SIGCONT);
	screenpty_read(s, 500, 3000);
	ok(screenpty_alive(s), "a signal that comes with a message stops its answer");
	from = s->total;
	type(s, "\025One day\r");
	wait_for(s, from, "token limit");
	kill(s->pid, SIGINT);
	screenpty_read(s, 300, 3000);
	ok(screenpty_alive(s) && screenpty_until(s, from, "had ended already", 0) >= 0, "one that is too late for an answer says so");
	kill(s->pid, SIGINT);
	status = screenpty_end(s, true, 5000 * tap_patience());
	ok(WIFEXITED(status) && WEXITSTATUS(status) == 130, "the next one ends it (%d)", status);
	ok(screenpty_restored(s) && !s->odd[0], "the modes are as before: %s", s->odd);
	screenpty_close(s);
	clean_state();
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
	struct screenpty *s = open_on(model, 24, 80, "-c", "400000");
	const int lasts = full ? 11000 : 500;
	uint64_t from = s->total;

	type(s, "\033[O");
	for (int looked = 0; looked < 1 + full; looked++) {
		begin_answer(s);
		type(s, looked ? "\033[I" : "");
		screenpty_read(s, lasts, lasts);
		from = s->total;
		type(s, "\003");
		if (screenpty_until(s, from, "stopped", 3000 * tap_patience()) < 0) {
			tap_skip("the bell: the model had no more to say");
			continue;
		}
		screenpty_read(s, 200, 1000);
		ok(bells(s, from) == (full && !looked), "an answer of %d ms %s rings %d times", lasts,
		   looked ? "that is looked at" : "beside another window", bells(s, from));
	}
	finish(s, "bell");
}

/* -- hostile text --------------------------------------------------------------------- */

static const char *const evil[] = {
	"\033]0;title\007", "\033]2;title\033\\", "\033]52;c;ZXZpbA==\007", "\033]8;;http://evil\033\\", "\033[2J", "\033[31m", "\033[?1049l",
	"\033[6n", "\033[c", "\033P$q m\033\\", "\033_G\033\\", "\033^x\033\\", "\033c", "\033[!p", "\033#8", "\033(0", "\033[8h", "\033[5i",
	"\033[?2004l", "\033[201~", "\033[200~", "\r\n", "\b\b\b", "\177", "\007", "\016", "\v\f", "\302\233""31m", "\302\235""0;x\302\234",
	"\302\220q\302\234", "\302\205", "\342\200\256abc", "\342\201\246x\342\201\251", "\342\200\213\342\200\213", "\357\273\277", "\360\237\217\264\363\240\201\247\363\240\201\277",
	"\xff\xfe\x80", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", "\xf0\x9f\x91\xa8\xe2\x80\x8d\xf0\x9f\x91\xa9", "e\314\201\314\201\314\201\314\201\314\201\314\201\314\201",
	"\341\205\237\343\205\244", "`\033[1m`", "```\n\033[1m\n```", "|\033[2J|\n|-|\n|\302\233m|", "[x](\033]0;y\007)", "<\033[0m>", "# \033[7m",
	"\t\t\t", "%n%s%x", "$(reboot)", "\\u001b[2J", "\302\240\302\255", "\033\033\033[[[", "\033[999999999999999999999999m", "\302\200\302\237",
};
enum { N_EVIL = sizeof evil / sizeof *evil };

/* Some pieces and some bytes, with a marker at the end: nothing that the terminal's driver takes for itself. */
static size_t payload(char *buf, size_t size, int i)
{
	size_t n = 0;

	for (uint32_t k = 1 + draw(4); k; k--) {
		const char *e = evil[draw(3) ? draw(N_EVIL) : (uint32_t)i % N_EVIL];

		n += (size_t)snprintf(buf + n, size - n, "%s%s", draw(2) ? "a " : "", e);
		if (!draw(3))
			buf[n++] = (char)(1 + draw(255));
	}
	n += (size_t)snprintf(buf + n, size - n, " M%05dZ", i);
	return n;
}

static void marker(char *buf, size_t size, int i)
{
	snprintf(buf, size, "M%05dZ", i);
}

/* All of the screen again, so that what stands on it comes as it stands; at another width what was cut by a row's end is whole. */
static bool seen(struct screenpty *s, const char *text)
{
	uint64_t from = s->total;
	bool found;

	type(s, "\014");
	if (screenpty_until(s, from, text, 1000 * tap_patience()) >= 0)
		return true;
	screenpty_size(s, 40, 131);
	screenpty_read(s, 50, 500);
	from = s->total;
	type(s, "\014");
	found = screenpty_until(s, from, text, 3000 * tap_patience()) >= 0;
	screenpty_size(s, 40, 118);
	return found;
}

/* Pasted, and then sent as a command that is none: the error quotes it. */
static int pasted(struct screenpty *s, int i, bool command)
{
	char text[512], mark[16];
	size_t n = payload(text, sizeof text, i);
	int lost;

	marker(mark, sizeof mark, i);
	/* the end of a paste cannot be in one */
	for (char *end; (end = memmem(text, n, "\033[201~", 6));)
		*end = '?';
	type(s, "\025");
	if (command)
		type(s, "/");
	type(s, "\033[200~");
	screenpty_type(s, text, n);
	type(s, "\033[201~");
	lost = !seen(s, mark);
	if (command) {
		type(s, "\r");
		screenpty_read(s, 5, 40);
	}
	return lost;
}

/* A file's bytes become a message's, and its name a note's. */
static int read_in(struct screenpty *s, int i)
{
	char text[512], mark[16], path[600], line[700];
	size_t n = payload(text, sizeof text, i);
	int lost = 0;

	marker(mark, sizeof mark, i);
	for (size_t k = 0; k < n; k++)
		if (!text[k])
			text[k] = '?';
	snprintf(path, sizeof path, "%s", tmp_path("hostile"));
	tmp_write(path, text, n);
	type(s, "\025");
	snprintf(line, sizeof line, "/read %s\r", path);
	type(s, line);
	screenpty_read(s, 10, 100);
	type(s, "x\r");
	lost += !seen(s, mark);
	screenpty_read(s, 10, 100);
	type(s, "/clear\r");
	unlink(path);
	return lost;
}

/* Which markers came since. */
static int scan(const struct screenpty *s, uint64_t from, int first, int n, bool *got)
{
	const char *p = s->kept + (from > s->total - s->n ? from - (s->total - s->n) : 0), *end = s->kept + s->n;
	int neu = 0, i, len;

	for (; p < end && (p = memchr(p, 'M', (size_t)(end - p))); p++) {
		len = 0;
		if (end - p < 7 || sscanf(p, "M%5dZ%n", &i, &len) != 1 || len != 7 || i < first || i >= first + n || got[i - first])
			continue;
		got[i - first] = true;
		neu++;
	}
	return neu;
}

/* From the beginning to the end, a page at a time. */
static int read_through(struct screenpty *s, int first, int n, bool *got)
{
	int found = 0;

	type(s, "g");
	for (int pages = 0, old = 0; pages < n && old < 8; pages++) {
		const uint64_t from = s->total;
		int neu;

		screenpty_read(s, 20, 60);
		type(s, "\014");
		screenpty_read(s, 40, 400);
		neu = scan(s, from, first, n, got);
		found += neu;
		old = neu ? 0 : old + 1;
		type(s, "\033[6~");
	}
	return found;
}

static void leave_conversation(int first, int n)
{
	char path[700];
	FILE *f;

	snprintf(path, sizeof path, "%s/.local/state/tidbit/chat-4194303", getenv("HOME"));
	f = fopen(path, "w");
	fprintf(f, "{\"form\":1,\"model\":\"\\u001b]0;x\\u0007\\u009b31m\",\"messages\":[");
	for (int i = 0; i < n; i++) {
		char text[512];
		size_t len = payload(text, sizeof text, first + i);

		fprintf(f, "%s{\"role\":\"%s\",\"label\":\"\\u001b[2J\\u009dlabel\",\"text\":\"", i ? "," : "", i % 2 ? "assistant" : "user");
		for (size_t k = 0; k < len; k++)
			fprintf(f, "\\u%04x", text[k] ? (unsigned)(unsigned char)text[k] : '?');
		fprintf(f, "\"}");
	}
	fprintf(f, "]}");
	fclose(f);
}

/* What a run of before has left: answers, labels and names as a file says. */
static int restored(int first, int n)
{
	bool *got = calloc((size_t)n, sizeof *got);
	struct screenpty *s;
	int found;

	leave_conversation(first, n);
	s = open_on(model, 60, 118, "-n", "4");
	type(s, "\003/restore\r");
	screenpty_read(s, 200, 2000);
	type(s, "\017");
	found = read_through(s, first, n, got);
	/* markers that a row's end cut are whole at another width */
	screenpty_size(s, 60, 133);
	screenpty_read(s, 200, 1000);
	found += read_through(s, first, n, got);
	for (int i = 0, told = 0; i < n && told < 5; i++)
		if (!got[i] && ++told)
			printf("# M%05dZ was not seen\n", first + i);
	finish(s, "a conversation that was left");
	free(got);
	return n - found;
}

/* The shipped model with hostile pieces in its vocabulary, each as long as what it stands for, and a hostile name. */
static const char *hostile_model(void)
{
	static const struct { const char *from, *to; } swaps[] = {
		{ "\342\226\201the", "\033[2J\302\233" }, { "\342\226\201was", "\033]0;x\007" }, { "\342\226\201and", "\302\2331mab" },
		{ "\342\226\201to", "\033[7m\a" }, { "\342\226\201she", "\342\200\256abc" }, { "\342\226\201her", "\033[6n\r\b" },
	};
	static char path[1024];
	FILE *f = fopen(model, "rb");
	size_t n, changed = 0;
	char *p = malloc(4 << 20);

	n = f ? fread(p, 1, 4 << 20, f) : 0;
	if (f)
		fclose(f);
	for (size_t i = 0; i < sizeof swaps / sizeof *swaps; i++) {
		const uint64_t len = strlen(swaps[i].from);
		char key[32];
		char *at;

		memcpy(key, &len, 8);
		memcpy(key + 8, swaps[i].from, len);
		at = memmem(p, n, key, 8 + len);
		if (at && strlen(swaps[i].to) == len) {
			memcpy(at + 8, swaps[i].to, len);
			changed++;
		}
	}
	snprintf(path, sizeof path, "%s", tmp_path("a\033]0;evil\007\302\233m.gguf"));
	tmp_write(path, p, n);
	free(p);
	return changed >= 3 ? path : NULL;
}

static void test_model(void)
{
	const char *m = hostile_model();
	struct screenpty *s;

	if (!m) {
		tap_skip("the shipped model has other pieces than those that are to be made hostile");
		return;
	}
	s = open_on(m, 40, 118, "-n", "400");
	for (int i = 0; i < amount(2, 20); i++) {
		const uint64_t from = s->total;

		type(s, "One day\r");
		wait_for(s, from, "token limit");
		type(s, "/clear\r");
		screenpty_read(s, 30, 200);
	}
	type(s, "/show\r/stats\r/quant q4_0\r\033OR");
	screenpty_read(s, 300, 3000);
	type(s, "\033");
	finish(s, "answers of a hostile model, and its name");
}

static void test_hostile(void)
{
	const int n = amount(100, 1700);
	struct screenpty *s = open_on(model, 40, 118, "-n", "4");
	int lost = 0;

	for (int i = 0; i < n; i++)
		lost += pasted(s, i, i % 2);
	ok(!lost, "pasted text and errors that quote it: each of %d markers is seen (%d are not)", n, lost);
	type(s, "\025/clear\r");
	lost = 0;
	for (int i = 0; i < n / 4; i++)
		lost += read_in(s, n + i);
	ok(!lost, "files and messages: each of %d markers is seen (%d are not)", n / 4, lost);
	finish(s, "hostile text");
	lost = restored(2 * n, n);
	ok(!lost, "a conversation that was left: each of %d markers is seen (%d are not)", n, lost);
	test_model();
}

/* The checker tells good from bad. */
static void test_checker(void)
{
	static const char *const bad[] = {
		"\033]52;c;x\007", "\033]2;a\033b\007", "\033[6n", "\033[?47h", "\302\233x", "\005", "\177", "\033P", "\033[8p", "\033c",
	};
	static const char *const good[] = { "\033[12;40H\033(B\033[m\033[38;5;1mtext \303\251\302\267\r\n\033[K", "\033]2;a title\007\033[?2004h" };
	struct screenpty *s;
	int caught = 0, passed = 0;

	for (size_t i = 0; i < sizeof bad / sizeof *bad + sizeof good / sizeof *good; i++) {
		const bool is_bad = i < sizeof bad / sizeof *bad;
		const char *text = is_bad ? bad[i] : good[i - sizeof bad / sizeof *bad];

		s = calloc(1, sizeof *s);
		screenpty_check(s, text, strlen(text));
		*(is_bad ? &caught : &passed) += is_bad == (s->odd[0] != 0);
		free(s);
	}
	ok(caught == sizeof bad / sizeof *bad && passed == sizeof good / sizeof *good, "sequences on no list are told (%d), others pass (%d)",
	   caught, passed);
}

int main(void)
{
	static const char *const unset[] = { "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "NO_COLOR", "VTE_VERSION",
					     "MLTERM", "TERM_PROGRAM", "KONSOLE_VERSION", "COLORTERM" };
	char home[512], state[600];

	snprintf(home, sizeof home, "%s", tmp_path("home"));
	snprintf(state, sizeof state, "mkdir -p '%s/.local/state/tidbit'", home);
	if (system(state))
		return 99;
	setenv("HOME", home, 1);
	for (size_t i = 0; i < sizeof unset / sizeof *unset; i++)
		unsetenv(unset[i]);
	signal(SIGPIPE, SIG_IGN);
	full = getenv("TIDBIT_CAMPAIGN") != NULL;
	model = shipped_model();
	large = SANITIZED ? NULL : data_path("models/smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf");
	test_checker();
	test_keys(false);
	test_keys(true);
	test_sizes();
	test_held(true);
	test_held(false);
	test_idle();
	test_interrupt();
	test_bell();
	test_answers(SIGTERM);
	test_answers(SIGSEGV);
	test_hostile();
	free(model);
	free(large);
	snprintf(state, sizeof state, "rm -rf '%s'", home);
	return system(state) ? 99 : tap_done();
}
