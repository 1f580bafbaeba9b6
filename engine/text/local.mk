engine_libengine_a_SOURCES += %D%/vocab.h \
	%D%/vocab_impl.h %D%/merge.h %D%/presplit.h %D%/utf8.h \
	%D%/vocab.c %D%/special.c %D%/presplit.c %D%/bpe.c %D%/spm.c %D%/encode.c %D%/detok.c
# Jinja: memory and values, source to tree, tree to text, what templates can call.
engine_libengine_a_SOURCES += \
	%D%/jinja.h %D%/jinja.c \
	%D%/jinja_val.h %D%/jinja_heap.c %D%/jinja_val.c \
	%D%/jinja_lex.h %D%/jinja_lex.c %D%/jinja_ast.h %D%/jinja_parse.h %D%/jinja_parse.c %D%/jinja_block.c \
	%D%/jinja_eval.h %D%/jinja_expr.c %D%/jinja_stmt.c %D%/jinja_attr.c %D%/jinja_call.c \
	%D%/jinja_lib.h %D%/jinja_lib.c %D%/jinja_tests.c %D%/jinja_str.c %D%/jinja_seq.c %D%/jinja_text.c \
	%D%/jinja_num.c %D%/jinja_json.h %D%/jinja_json.c
# Conversations.
engine_libengine_a_SOURCES += %D%/prompt.h %D%/prompt.c
