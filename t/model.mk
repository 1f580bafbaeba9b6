# Tests of engine/model and engine/make's ladder.
check_PROGRAMS += %D%/t4000-model-logits.t %D%/t4100-session-sync.t %D%/t4110-session-fork.t %D%/t4120-kv-pages.t \
	%D%/t4130-session-many.t %D%/t4140-session-bits.t %D%/t4150-session-memory.t %D%/t4200-family-logits.t \
	%D%/t4210-family-bits.t
EXTRA_DIST += %D%/data/family-logits.json
t_t4000_model_logits_t_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
t_t4200_family_logits_t_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
noinst_PROGRAMS += %D%/helper/sparsemodel
t_helper_sparsemodel_LDADD = %D%/libtap.a
