# Tests of format.
check_PROGRAMS += %D%/t0500-gguf-read.t
t_t0500_gguf_read_t_SOURCES = %D%/t0500-gguf-read.c
t_t0500_gguf_read_t_LDADD = $(TEST_LIBS)
