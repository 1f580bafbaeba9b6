# Tests of text.
check_PROGRAMS += %D%/t2000-tok-bpe.t %D%/t2010-tok-spm.t %D%/t2020-detok.t %D%/t2030-tok-spans.t
dist_check_SCRIPTS += %D%/t2040-tokenize.sh
include %D%/template.mk
noinst_PROGRAMS += %D%/helper/textbench
t_helper_textbench_LDADD = $(ENGINE_LDADD) $(JANSSON_LIBS)
