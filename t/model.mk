# Tests of engine/model and engine/make's ladder.
check_PROGRAMS += %D%/t4000-model-logits.t %D%/t4100-session-sync.t %D%/t4110-session-fork.t %D%/t4120-kv-pages.t %D%/t4130-session-many.t \
	%D%/t4140-session-bits.t %D%/t4150-session-memory.t
t_t4000_model_logits_t_SOURCES = %D%/t4000-model-logits.c
t_t4000_model_logits_t_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
t_t4000_model_logits_t_LDADD = $(TEST_LIBS)
t_t4100_session_sync_t_SOURCES = %D%/t4100-session-sync.c
t_t4100_session_sync_t_LDADD = $(TEST_LIBS)
t_t4130_session_many_t_SOURCES = %D%/t4130-session-many.c
t_t4130_session_many_t_LDADD = $(TEST_LIBS)
t_t4120_kv_pages_t_SOURCES = %D%/t4120-kv-pages.c
t_t4120_kv_pages_t_LDADD = $(TEST_LIBS)
t_t4110_session_fork_t_SOURCES = %D%/t4110-session-fork.c
t_t4110_session_fork_t_LDADD = $(TEST_LIBS)
t_t4140_session_bits_t_SOURCES = %D%/t4140-session-bits.c
t_t4140_session_bits_t_LDADD = $(TEST_LIBS)
noinst_PROGRAMS += %D%/helper/sparsemodel
t_helper_sparsemodel_SOURCES = %D%/helper/sparsemodel.c
t_helper_sparsemodel_LDADD = %D%/libtap.a
t_t4150_session_memory_t_SOURCES = %D%/t4150-session-memory.c
t_t4150_session_memory_t_LDADD = $(TEST_LIBS)
