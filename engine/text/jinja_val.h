/*
 * Values inside a rendering, and the memory they live in.
 *
 * A jheap owns every byte of a context: small things in an arena, large strings in
 * blocks of their own that can grow in place. Nothing is freed before the heap is. The
 * heap counts what it holds against JINJA_MAX_MEMORY; once it refuses, `failed` stays
 * set, further additions do nothing, and the evaluator turns it into an error at the
 * next node.
 *
 * A string is a view (offset, length) of a jbuf. The buffer keeps, beside its bytes,
 * runs that tell who wrote them: slices share bytes and runs, and appending to a string
 * that ends where its buffer ends costs only what is appended. Buffers of a compiled
 * template are never appended to.
 *
 * Values are passed by value; containers are shared by pointer as in Python.
 */
#ifndef ENGINE_TEXT_JINJA_VAL_H
#define ENGINE_TEXT_JINJA_VAL_H

#include "engine/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* type, what Python calls it */
#define J_TYPES(X) \
	X(J_MISSING, "missing") \
	X(J_UNDEF, "Undefined") \
	X(J_NONE, "NoneType") \
	X(J_BOOL, "bool") \
	X(J_INT, "int") \
	X(J_FLOAT, "float") \
	X(J_STR, "str") \
	X(J_LIST, "list") \
	X(J_TUPLE, "tuple") \
	X(J_DICT, "dict") \
	X(J_NS, "Namespace") \
	X(J_RANGE, "range") \
	X(J_ITER, "generator") \
	X(J_VIEW, "dict_items") \
	X(J_FUNC, "function") \
	X(J_METHOD, "builtin_function_or_method") \
	X(J_MACRO, "Macro") \
	X(J_LOOP, "LoopContext") \
	X(J_CYCLER, "Cycler") \
	X(J_JOINER, "Joiner") \
	X(J_SLICE, "slice")

enum jtype {
#define J_ENUM(t, name) t,
	J_TYPES(J_ENUM)
#undef J_ENUM
	J_N_TYPES
};

/* Who wrote a run of bytes. From JTAG_MARK on: the user, in a string that the caller marked. */
enum { JTAG_TEMPLATE = 0, JTAG_USER = 1, JTAG_MARK = 2 };

struct jv {
	uint8_t type;		/* enum jtype */
	bool user;		/* a scalar or container that came with the context */
	bool safe;		/* J_STR: Markup */
	uint32_t len;		/* J_STR: bytes */
	union {
		bool b;
		int64_t i;
		double f;
		struct jbuf *buf;
		struct jlist *list;		/* J_LIST, J_TUPLE */
		struct jdict *dict;		/* J_DICT, J_NS */
		struct jrange *range;		/* J_RANGE, J_SLICE */
		struct jiter *iter;
		struct jview *view;
		struct jundef *undef;
		const struct jbuiltin *func;
		struct jmethod *method;
		struct jmacro *macro;
		struct jloop *loop;
		struct jcycler *cycler;		/* J_CYCLER, J_JOINER */
	} u;
	uint32_t off;		/* J_STR: where in buf */
};

struct jlist {
	struct jv *v;
	uint32_t n, room;
	bool group;	/* a tuple of groupby: .grouper, .list */
};

struct jentry { struct jv key, val; uint32_t hash; };
struct jdict {
	struct jheap *h;
	struct jentry *e;	/* in order of insertion */
	uint32_t n, room;
	uint32_t *index;	/* of n_index (a power of two) slots: entry + 1 */
	uint32_t n_index;
};

/* -- memory ------------------------------------------------------------------------ */

enum jfail { JFAIL_NO, JFAIL_NOMEM, JFAIL_MEMORY, JFAIL_OUTPUT, JFAIL_STEPS };

struct jheap {
	struct jchunk *chunks;
	char *at, *end;		/* free part of the newest chunk */
	struct jbuf *big;	/* buffers whose bytes are blocks of their own */
	size_t used, cap;
	uint32_t steps;		/* work done in this rendering, against JINJA_MAX_STEPS */
	enum jfail failed;
	struct jlist no_list;	/* what is handed out when there is no room: empty, and stays so */
	struct jdict no_dict;
};

void jheap_init(struct jheap *h, size_t cap);
void jheap_release(struct jheap *h);
/* Counts work; false, and failed, when there was too much. */
bool jheap_step(struct jheap *h, size_t n);
/* The same for looking through n bytes, and for going through them by characters. */
bool jheap_scan(struct jheap *h, size_t n);
bool jheap_walk(struct jheap *h, size_t n);
/* Zeroed; NULL when memory or the cap runs out (h->failed tells). */
void *jheap_alloc(struct jheap *h, size_t n);
/* Zeroed array of n; the product is checked. */
void *jheap_array(struct jheap *h, size_t n, size_t size);
/* An array that grows: returns room for at least n + 1 elements, old ones kept. */
void *jheap_more(struct jheap *h, void *p, size_t n, uint32_t *room, size_t size);

/* -- strings ----------------------------------------------------------------------- */

struct jspan { uint32_t end, tag; };	/* covers from the end of the one before */

struct jbuf {
	char *p;
	uint32_t len, size;	/* size 0: bytes are not ours to append to */
	struct jspan *spans;
	uint32_t n_spans, room;
	struct jspan one;	/* most buffers have one run */
	bool big;
	struct jbuf *next;
};

struct jbuf *jbuf_new(struct jheap *h, size_t reserve);
/* Bytes that stay where they are: the template's own text. */
struct jbuf *jbuf_static(struct jheap *h, const char *p, size_t n);
void jbuf_add(struct jheap *h, struct jbuf *b, const char *p, size_t n, uint32_t tag);
void jbuf_adds(struct jheap *h, struct jbuf *b, const char *z, uint32_t tag);
void jbuf_addf(struct jheap *h, struct jbuf *b, uint32_t tag, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
void jbuf_add_utf8(struct jheap *h, struct jbuf *b, uint32_t cp, uint32_t tag);
/* Appends a string with its runs. */
void jbuf_add_str(struct jheap *h, struct jbuf *b, struct jv s);
/* The whole buffer as a value. b NULL (no memory) gives "". */
struct jv jbuf_value(struct jbuf *b);

struct jv jstr(struct jheap *h, const char *p, size_t n, uint32_t tag);
struct jv jstr_z(struct jheap *h, const char *z);
const char *jstr_p(const struct jv *s);
/* A part of it, in bytes. */
struct jv jstr_sub(struct jv s, size_t off, size_t len);
/* left + right; grows left's buffer when it can. */
struct jv jstr_cat(struct jheap *h, struct jv l, struct jv r);
/* Who wrote the byte at `at`. */
uint32_t jstr_tag(const struct jv *s, size_t at);
/* JTAG_USER when any byte is the user's. */
uint32_t jstr_any(const struct jv *s);
/* Calls fn for each run of one author. */
typedef void jspan_fn(void *arg, const char *p, size_t n, uint32_t tag);
void jstr_runs(const struct jv *s, jspan_fn *fn, void *arg);
/* Characters as Python counts them; each byte that is no UTF-8 is one. */
size_t jstr_chars(const struct jv *s);
bool jstr_is(const struct jv *s, const char *z);

/* -- UTF-8 ------------------------------------------------------------------------- */

/* Length of the character at p (n > 0), 1 for a byte that is none; *cp may be NULL. */
size_t ju_next(const char *p, size_t n, uint32_t *cp);
/* The same for the character that ends at p + n. */
size_t ju_prev(const char *p, size_t n, uint32_t *cp);
size_t ju_chars(const char *p, size_t n);
/* Byte offset of character k; n when there are fewer. */
size_t ju_offset(const char *p, size_t n, size_t k);
bool ju_space(uint32_t cp);	/* str.isspace() */

/* -- containers -------------------------------------------------------------------- */

struct jrange { int64_t start, stop, step; bool has_start, has_stop; };

/* A generator: its items are known when it is made, and it can be read once. */
struct jiter { struct jlist *list; uint32_t at; const char *name; };

struct jview { struct jdict *dict; enum { JVIEW_KEYS, JVIEW_VALUES, JVIEW_ITEMS } what; };

/* What a missing thing was called, for the message. */
struct jundef { const char *hint; struct jv obj, name; };

struct jcycler { struct jlist *list; uint32_t at; struct jv sep; };

struct jv jv_none(void);
struct jv jv_bool(bool b);
struct jv jv_int(int64_t i);
struct jv jv_float(double f);
/*
 * type J_LIST or J_TUPLE; J_DICT or J_NS. When memory runs out, an empty one that takes
 * nothing in: what is made of it is never seen, for the heap has failed.
 */
struct jv jv_list(struct jheap *h, enum jtype type, size_t reserve);
int jlist_add(struct jheap *h, struct jlist *l, struct jv v);
struct jv jv_dict(struct jheap *h, enum jtype type);
struct jv jv_iter(struct jheap *h, struct jlist *l, const char *name);

bool jv_hashable(struct jv v);
uint32_t jv_hash(struct jheap *h, struct jv key);
uint32_t jbytes_hash(const char *p, size_t n);
struct jv *jdict_get(const struct jdict *d, struct jv key);
struct jv *jdict_get_hashed(const struct jdict *d, struct jv key, uint32_t hash);
/* A key that is there keeps its place. */
int jdict_set(struct jdict *d, struct jv key, struct jv val);

const char *jv_typename(struct jv v);
bool jv_truth(struct jv v);
/* Python's ==. Nesting deeper than 128 compares as different. */
bool jv_equal(struct jheap *h, struct jv a, struct jv b);
static inline bool jv_isnum(struct jv v) { return v.type >= J_BOOL && v.type <= J_FLOAT; }
static inline bool jv_isint(struct jv v) { return v.type == J_BOOL || v.type == J_INT; }
int64_t jv_asint(struct jv v);		/* of a bool or int */
double jv_asfloat(struct jv v);		/* of a number */
/* len(), or -1 when the type has none. */
int64_t jv_len(struct jv v);
int64_t jrange_len(const struct jrange *r);

/* str(v) and repr(v), appended. Numbers and brackets take the author of what they belong to. */
void jv_print(struct jheap *h, struct jbuf *b, struct jv v);
void jv_repr(struct jheap *h, struct jbuf *b, struct jv v);
/* str(v) as a string; strings come back as they are. */
struct jv jv_str(struct jheap *h, struct jv v);

#endif
