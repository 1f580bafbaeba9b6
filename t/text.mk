# Tests of text.
check_PROGRAMS += %D%/t2000-tok-bpe.t
t_t2000_tok_bpe_t_SOURCES = %D%/t2000-tok-bpe.c
t_t2000_tok_bpe_t_LDADD = $(TEST_LIBS)
check_PROGRAMS += %D%/t2010-tok-spm.t
t_t2010_tok_spm_t_SOURCES = %D%/t2010-tok-spm.c
t_t2010_tok_spm_t_LDADD = $(TEST_LIBS)
check_PROGRAMS += %D%/t2020-detok.t
t_t2020_detok_t_SOURCES = %D%/t2020-detok.c
t_t2020_detok_t_LDADD = $(TEST_LIBS)
check_PROGRAMS += %D%/t2030-tok-spans.t
t_t2030_tok_spans_t_SOURCES = %D%/t2030-tok-spans.c
t_t2030_tok_spans_t_LDADD = $(TEST_LIBS)
include %D%/template.mk
dist_check_SCRIPTS += %D%/t2040-tokenize.sh
noinst_PROGRAMS += %D%/helper/textbench
t_helper_textbench_SOURCES = %D%/helper/textbench.c
t_helper_textbench_LDADD = $(ENGINE_LDADD) $(JANSSON_LIBS)
