/* Tokens → tree: the statements, one row each in a table. */
#include "config.h"
#include "engine/text/jinja_parse.h"
#include "engine/text/jinja_eval.h"

#include <string.h>

typedef int parse_fn(struct jparser *p, struct jnode **out);

static int parse_body(struct jparser *p, struct jnode *owner, const char *tag, const char *const *ends, struct jnodes *l);
static int parse_statement(struct jparser *p, struct jnode *owner, struct jnodes *l);

/* -- messages about tags that do not fit ------------------------------------------- */

static bool among(const char *const *ends, const struct jtoken *t)
{
	for (; ends && *ends; ends++)
		if (jp_is(t, *ends))
			return true;
	return false;
}

static int unexpected_tag(struct jparser *p)
{
	const struct jtoken t = p->cur;
	const bool eof = t.type == JT_EOF;
	bool misnested = false;
	struct str s;
	int rc;

	str_init(&s, 500);
	if (eof)
		str_adds(&s, "Unexpected end of template.");
	else
		str_addf(&s, "Encountered unknown tag '%s'.", jp_describe(p, &t));
	for (const struct jopen *o = p->open; o && !eof; o = o->up)
		misnested |= among(o->ends, &t);
	if (p->open) {
		str_adds(&s, misnested ? " You probably made a nesting mistake. Jinja is expecting this tag, but currently looking for "
				       : " Jinja was looking for the following tags: ");
		for (const char *const *e = p->open->ends; *e; e++)
			str_addf(&s, "%s'%s'", e == p->open->ends ? "" : " or ", *e);
		str_addf(&s, ". The innermost block that needs to be closed is '%s'.", p->open->tag);
	}
	rc = jp_fail(p, &t, "%s", s.p);
	str_release(&s);
	return rc;
}

/* -- targets of assignments -------------------------------------------------------- */

static int check_target(struct jparser *p, const struct jtoken *at, const struct jnode *n)
{
	static const char *const names[JN_N] = {
		[JN_CONST] = "const", [JN_LIST] = "list", [JN_DICT] = "dict", [JN_CALL] = "call", [JN_ATTR] = "getattr",
		[JN_ITEM] = "getitem", [JN_FILTER] = "filter", [JN_TEST] = "test", [JN_CONCAT] = "concat",
		[JN_COMPARE] = "compare", [JN_COND] = "condexpr",
	};

	if (n->kind == JN_NAME || n->kind == JN_NSREF)
		return 0;
	if (n->kind != JN_TUPLE)
		return jp_fail(p, at, "can't assign to '%s'", names[n->kind] ? names[n->kind] : "expression");
	for (uint32_t i = 0; i < n->u.items.n; i++)
		if (check_target(p, at, n->u.items.p[i]))
			return -1;
	return 0;
}

static int parse_target(struct jparser *p, bool ns, const char *end, struct jnode **out)
{
	const struct jtoken at = p->cur;
	const struct jtuple_opts o = { .target = true, .ns = ns, .end = end };

	return jp_tuple(p, &o, out) || check_target(p, &at, *out) ? -1 : 0;
}

static bool speaks_of(const struct jnode *target, uint32_t id)
{
	if (target->kind == JN_NAME)
		return target->u.name.id == id;
	for (uint32_t i = 0; target->kind == JN_TUPLE && i < target->u.items.n; i++)
		if (speaks_of(target->u.items.p[i], id))
			return true;
	return false;
}

/* -- statements -------------------------------------------------------------------- */

static int parse_for(struct jparser *p, struct jnode **out)
{
	static const char *const ends[] = { "endfor", "else", NULL }, *const end[] = { "endfor", NULL };
	const struct jtuple_opts iter = { .end = "recursive" };
	struct jnode *n = *out = jp_node(p, JN_FOR, &p->cur);
	bool found;

	if (!n || jp_next(p) || parse_target(p, false, "in", &n->u.loop.target))
		return -1;
	if (speaks_of(n->u.loop.target, JNAME_LOOP))
		return jp_fail(p, &p->cur, "Can't assign to special loop variable in for-loop target");
	if (!jp_is(&p->cur, "in"))
		return jp_fail(p, &p->cur, "expected token 'in', got '%s'", jp_describe(p, &p->cur));
	if (jp_next(p) || jp_tuple(p, &iter, &n->u.loop.iter) || jp_skip_name(p, "if", &found))
		return -1;
	if (found && jp_expr(p, &n->u.loop.test))
		return -1;
	if (jp_skip_name(p, "recursive", &n->flag))
		return -1;
	p->loops++;
	if (parse_body(p, n, "for", ends, &n->u.loop.body))
		return -1;
	p->loops--;
	found = jp_is(&p->cur, "else");
	if (jp_next(p))
		return -1;
	if (found && (parse_body(p, n, "for", end, &n->u.loop.orelse) || jp_next(p)))
		return -1;
	return 0;
}

/* An elif is an if, alone in the other branch of the one before: chains of any length, no depth. */
static int parse_if(struct jparser *p, struct jnode **out)
{
	static const char *const ends[] = { "elif", "else", "endif", NULL }, *const end[] = { "endif", NULL };
	const struct jtuple_opts opts = { 0 };
	const bool soft = p->soft;
	struct jnode *n = *out = jp_node(p, JN_IF, &p->cur);
	struct jnode *first = n, *next;

	p->soft = true;
	if (!n || jp_next(p) || jp_tuple(p, &opts, &n->u.branch.test) || parse_body(p, n, "if", ends, &n->u.branch.body))
		return -1;
	while (jp_is(&p->cur, "elif")) {
		next = jp_node(p, JN_IF, &p->cur);
		if (!next || jp_next(p) || jp_tuple(p, &opts, &next->u.branch.test) ||
		    parse_body(p, first, "if", ends, &next->u.branch.body) || jp_push(p, NULL, &n->u.branch.orelse, next))
			return -1;
		next->flag = true;
		n = next;
	}
	if (jp_is(&p->cur, "else") && (jp_next(p) || parse_body(p, first, "if", end, &n->u.branch.orelse)))
		return -1;
	p->soft = soft;
	return jp_next(p);
}

static int parse_set(struct jparser *p, struct jnode **out)
{
	static const char *const end[] = { "endset", NULL };
	const struct jtuple_opts value = { .cond = true };
	struct jnode *n = *out = jp_node(p, JN_SET, &p->cur), *target;

	if (!n || jp_next(p) || parse_target(p, true, NULL, &target))
		return -1;
	n->u.set.target = target;
	if (p->cur.type == JT_ASSIGN)
		return jp_next(p) || jp_tuple(p, &value, &n->u.set.value) ? -1 : 0;
	n->kind = JN_SETBLOCK;
	n->u.capture.target = target;
	if (jp_filters(p, &n->u.capture.filter) || parse_body(p, n, "set", end, &n->u.capture.body))
		return -1;
	return jp_next(p);
}

static int parse_filter_block(struct jparser *p, struct jnode **out)
{
	static const char *const end[] = { "endfilter", NULL };
	struct jnode *n = *out = jp_node(p, JN_FILTERBLOCK, &p->cur);

	if (!n || jp_next(p) || jp_filter(p, NULL, &n->u.capture.filter) || jp_filters(p, &n->u.capture.filter) ||
	    parse_body(p, n, "filter", end, &n->u.capture.body))
		return -1;
	return jp_next(p);
}

static int parse_params(struct jparser *p, struct jsignature *sig)
{
	struct jparam *a;
	bool defaults = false;

	if (jp_expect(p, JT_LPAREN))
		return -1;
	while (p->cur.type != JT_RPAREN) {
		if (sig->n && jp_expect(p, JT_COMMA))
			return -1;
		a = jheap_more(p->x.h, sig->params, sig->n, &sig->room, sizeof *a);
		if (!a)
			return jp_nomem(p);
		sig->params = a;
		a += sig->n++;
		*a = (struct jparam){ 0 };
		if (p->cur.type != JT_NAME)
			return jp_expect(p, JT_NAME);
		if (jp_text(p, &p->cur, &a->text) || jp_name_id(p, a->text, &a->name) || jp_next(p))
			return -1;
		if (p->cur.type == JT_ASSIGN) {
			defaults = true;
			if (jp_next(p) || jp_expr(p, &a->def))
				return -1;
		} else if (defaults) {
			return jp_fail(p, &p->cur, "non-default argument follows default argument");
		}
	}
	return jp_expect(p, JT_RPAREN);
}

static int parse_macro_body(struct jparser *p, struct jnode *n, const char *tag, const char *const *end)
{
	struct jmacro_scope scope = { .sig = &n->u.macro.sig, .up = p->macro };
	const int loops = p->loops;
	int rc;

	p->macro = &scope;
	p->loops = 0;
	rc = parse_body(p, n, tag, end, &n->u.macro.sig.body);
	p->macro = scope.up;
	p->loops = loops;
	return rc ? -1 : jp_next(p);
}

static int parse_macro(struct jparser *p, struct jnode **out)
{
	static const char *const end[] = { "endmacro", NULL };
	struct jnode *n = *out = jp_node(p, JN_MACRO, &p->cur);
	struct jsignature *sig;

	if (!n || jp_next(p))
		return -1;
	sig = &n->u.macro.sig;
	if (p->cur.type != JT_NAME)
		return jp_expect(p, JT_NAME);
	if (jp_text(p, &p->cur, &sig->name) || jp_name_id(p, sig->name, &n->u.macro.id) || jp_next(p) ||
	    parse_params(p, sig))
		return -1;
	return parse_macro_body(p, n, "macro", end);
}

static int parse_call_block(struct jparser *p, struct jnode **out)
{
	static const char *const end[] = { "endcall", NULL };
	struct jnode *n = *out = jp_node(p, JN_CALLBLOCK, &p->cur);
	const struct jtoken at = p->cur;

	if (!n || jp_next(p))
		return -1;
	n->u.macro.sig.name = (struct jv){ .type = J_NONE };
	if (p->cur.type == JT_LPAREN && parse_params(p, &n->u.macro.sig))
		return -1;
	if (jp_expr(p, &n->u.macro.call))
		return -1;
	if (n->u.macro.call->kind != JN_CALL)
		return jp_fail(p, &at, "expected call");
	return parse_macro_body(p, n, "call", end);
}

static int parse_with(struct jparser *p, struct jnode **out)
{
	static const char *const end[] = { "endwith", NULL };
	struct jnode *n = *out = jp_node(p, JN_WITH, &p->cur), *x;

	if (!n || jp_next(p))
		return -1;
	while (p->cur.type != JT_BLOCK_END) {
		const struct jtuple_opts target = { .target = true };

		if (n->u.with.targets.n && jp_expect(p, JT_COMMA))
			return -1;
		if (jp_tuple(p, &target, &x) || check_target(p, &p->cur, x) || jp_push(p, n, &n->u.with.targets, x) ||
		    jp_expect(p, JT_ASSIGN) || jp_expr(p, &x) || jp_push(p, n, &n->u.with.values, x))
			return -1;
	}
	return parse_body(p, n, "with", end, &n->u.with.body) || jp_next(p) ? -1 : 0;
}

static int parse_generation(struct jparser *p, struct jnode **out)
{
	static const char *const end[] = { "endgeneration", NULL };
	struct jnode *n = *out = jp_node(p, JN_SCOPE, &p->cur);

	return !n || jp_next(p) || parse_body(p, n, "generation", end, &n->u.with.body) || jp_next(p) ? -1 : 0;
}

static int parse_named_block(struct jparser *p, struct jnode **out)
{
	static const char *const end[] = { "endblock", NULL };
	struct jnode *n = *out = jp_node(p, JN_SCOPE, &p->cur);
	bool found;

	if (!n || jp_next(p) || jp_expect(p, JT_NAME) || jp_skip_name(p, "scoped", &found) ||
	    jp_skip_name(p, "required", &found) || parse_body(p, n, "block", end, &n->u.with.body) || jp_next(p))
		return -1;
	return p->cur.type == JT_NAME ? jp_next(p) : 0;
}

/* Nothing here is HTML: only `autoescape false` means something. */
static int parse_autoescape(struct jparser *p, struct jnode **out)
{
	static const char *const end[] = { "endautoescape", NULL };
	struct jnode *n = *out = jp_node(p, JN_SCOPE, &p->cur), *x;
	const struct jtoken at = p->cur;

	if (!n || jp_next(p) || jp_expr(p, &x))
		return -1;
	if (x->kind != JN_CONST || jv_truth(x->u.value))
		return jp_fail(p, &at, "autoescape is not supported in chat templates");
	return parse_body(p, n, "autoescape", end, &n->u.with.body) || jp_next(p) ? -1 : 0;
}

static int parse_print(struct jparser *p, struct jnode **out)
{
	struct jnode *n = *out = jp_node(p, JN_PRINT, &p->cur), *x;

	if (!n || jp_next(p))
		return -1;
	while (p->cur.type != JT_BLOCK_END)
		if ((n->u.items.n && jp_expect(p, JT_COMMA)) || jp_expr(p, &x) || jp_push(p, n, &n->u.items, x))
			return -1;
	return 0;
}

static int parse_jump(struct jparser *p, struct jnode **out)
{
	const enum jkind kind = jp_is(&p->cur, "break") ? JN_BREAK : JN_CONTINUE;

	if (!p->loops)
		return jp_fail(p, &p->cur, "'%s' outside loop", jp_describe(p, &p->cur));
	*out = jp_node(p, kind, &p->cur);
	return *out ? jp_next(p) : -1;
}

/* One template is all there is: nothing is read from files. */
static int parse_foreign(struct jparser *p, struct jnode **out)
{
	(void)out;
	return jp_fail(p, &p->cur, "'%s' is not allowed in chat templates", jp_describe(p, &p->cur));
}

static const struct { const char *tag; parse_fn *parse; } statements[] = {
	{ "if", parse_if },
	{ "for", parse_for },
	{ "set", parse_set },
	{ "macro", parse_macro },
	{ "call", parse_call_block },
	{ "filter", parse_filter_block },
	{ "with", parse_with },
	{ "generation", parse_generation },
	{ "break", parse_jump },
	{ "continue", parse_jump },
	{ "print", parse_print },
	{ "block", parse_named_block },
	{ "autoescape", parse_autoescape },
	{ "extends", parse_foreign },
	{ "include", parse_foreign },
	{ "import", parse_foreign },
	{ "from", parse_foreign },
};

/* -- bodies ------------------------------------------------------------------------ */

static int parse_statement(struct jparser *p, struct jnode *owner, struct jnodes *l)
{
	struct jnode *n = NULL;

	if (p->cur.type != JT_NAME)
		return jp_fail(p, &p->cur, "tag name expected");
	for (size_t i = 0; i < sizeof statements / sizeof *statements; i++)
		if (jp_is(&p->cur, statements[i].tag))
			return statements[i].parse(p, &n) || jp_push(p, owner, l, n) || jp_expect(p, JT_BLOCK_END) ? -1 : 0;
	return unexpected_tag(p);
}

static int parse_data(struct jparser *p, struct jnode *owner, struct jnodes *l)
{
	struct jnode *n = jp_node(p, JN_DATA, &p->cur);

	return !n || jp_text(p, &p->cur, &n->u.value) || jp_push(p, owner, l, n) || jp_next(p) ? -1 : 0;
}

static int parse_variable(struct jparser *p, struct jnode *owner, struct jnodes *l)
{
	const struct jtuple_opts o = { .cond = true };
	struct jnode *n = jp_node(p, JN_PRINT, &p->cur), *x;

	return !n || jp_next(p) || jp_tuple(p, &o, &x) || jp_push(p, n, &n->u.items, x) || jp_push(p, owner, l, n) ||
	       jp_expect(p, JT_VAR_END) ? -1 : 0;
}

/* Up to one of `ends` (NULL: the end of the template), whose name is then the current token. */
static int parse_until(struct jparser *p, struct jnode *owner, const char *const *ends, struct jnodes *l)
{
	while (p->cur.type != JT_EOF) {
		if (p->cur.type == JT_DATA) {
			if (parse_data(p, owner, l))
				return -1;
		} else if (p->cur.type == JT_VAR_BEGIN) {
			if (parse_variable(p, owner, l))
				return -1;
		} else {
			if (jp_next(p))
				return -1;
			if (among(ends, &p->cur))
				return 0;
			if (parse_statement(p, owner, l))
				return -1;
		}
	}
	return ends ? unexpected_tag(p) : 0;
}

static int parse_body(struct jparser *p, struct jnode *owner, const char *tag, const char *const *ends, struct jnodes *l)
{
	struct jopen open = { .tag = tag, .ends = ends, .up = p->open };
	const bool soft = p->soft;
	int rc;

	if (p->cur.type == JT_COLON && jp_next(p))
		return -1;
	if (jp_expect(p, JT_BLOCK_END))
		return -1;
	if (++p->depth > JINJA_MAX_DEPTH)
		return jp_fail(p, &p->cur, "the template is nested too deeply");
	p->open = &open;
	p->soft = soft && !strcmp(tag, "if");
	rc = parse_until(p, owner, ends, l);
	p->soft = soft;
	p->open = open.up;
	p->depth--;
	return rc;
}

int jparse(struct jinja *t, const char *src, size_t n, struct jinja_where *where, struct err *e)
{
	static const char *const fixed[] = {	/* in the order of JNAME_… */
		[JNAME_LOOP] = "loop", [JNAME_CALLER] = "caller", [JNAME_VARARGS] = "varargs", [JNAME_KWARGS] = "kwargs",
	};
	struct jparser p = { .t = t, .x.h = &t->heap, .x.e = e };
	const struct jv ids = jv_dict(&t->heap, J_DICT);

	if (ids.type == J_MISSING)
		return err_set(e, ERR_NOMEM, "no memory for the chat template");
	t->names.ids = ids.u.dict;
	for (uint32_t i = 0, id; i < sizeof fixed / sizeof *fixed; i++)
		if (jp_name_id(&p, jstr_z(&t->heap, fixed[i]), &id))
			return err_set(e, ERR_NOMEM, "no memory for the chat template");
	if (jlex_init(&p.x, &t->heap, src, n, where, e))
		return -1;
	if (jp_next(&p) || parse_until(&p, NULL, NULL, &t->body))
		return -1;
	return p.unknown.node ? jp_unknown(&p) : 0;
}
