# Tests of quant and of the levels.
check_PROGRAMS += %D%/t1000-quant-table.t %D%/t1010-quant-lanes.t %D%/t1100-level-rules.t %D%/t1200-quantize-file.t \
	%D%/t1220-quantize-odd.t
dist_check_SCRIPTS += %D%/t1210-quantize-verb.sh
EXTRA_DIST += %D%/data/quant-blocks.txt %D%/data/level-types.json
t_t1100_level_rules_t_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)

# The types' functions with one lane, which is the definition.
check_LIBRARIES += %D%/libquant_scalar.a
%C%_libquant_scalar_a_SOURCES = $(QUANT_CODECS)
%C%_libquant_scalar_a_CPPFLAGS = $(AM_CPPFLAGS) -DQUANT_ISA=_scalar -DQUANT_SCALAR
t_t1010_quant_lanes_t_LDADD = %D%/libquant_scalar.a $(TEST_LIBS)

noinst_PROGRAMS += %D%/helper/mkmodel
t_helper_mkmodel_SOURCES = %D%/helper/mkmodel.c %D%/helper/mkvocab.h %D%/helper/mkvocab.c
t_helper_mkmodel_LDADD = $(ENGINE_LDADD)
