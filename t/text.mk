# Tests of text.
check_PROGRAMS += %D%/t2000-tok-bpe.t
t_t2000_tok_bpe_t_SOURCES = %D%/t2000-tok-bpe.c
t_t2000_tok_bpe_t_LDADD = $(TEST_LIBS)
