# Tests of quant and of the levels.
check_PROGRAMS += %D%/t1000-quant-table.t %D%/t1100-level-rules.t
t_t1000_quant_table_t_SOURCES = %D%/t1000-quant-table.c
t_t1000_quant_table_t_LDADD = $(TEST_LIBS)
t_t1100_level_rules_t_SOURCES = %D%/t1100-level-rules.c
t_t1100_level_rules_t_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
t_t1100_level_rules_t_LDADD = $(TEST_LIBS)
check_LIBRARIES += t/libquant_scalar.a
t_libquant_scalar_a_SOURCES = $(QUANT_CODECS)
t_libquant_scalar_a_CPPFLAGS = $(AM_CPPFLAGS) -DQUANT_ISA=_scalar -DQUANT_SCALAR
check_PROGRAMS += %D%/t1010-quant-lanes.t
t_t1010_quant_lanes_t_SOURCES = %D%/t1010-quant-lanes.c
t_t1010_quant_lanes_t_LDADD = t/libquant_scalar.a $(TEST_LIBS)
EXTRA_DIST += %D%/data/quant-blocks.txt %D%/data/level-types.json
check_PROGRAMS += %D%/t1200-quantize-file.t
t_t1200_quantize_file_t_SOURCES = %D%/t1200-quantize-file.c
t_t1200_quantize_file_t_LDADD = $(TEST_LIBS)
noinst_PROGRAMS += %D%/helper/mkmodel
t_helper_mkmodel_SOURCES = %D%/helper/mkmodel.c %D%/helper/mkvocab.h %D%/helper/mkvocab.c
t_helper_mkmodel_LDADD = $(ENGINE_LDADD)
dist_check_SCRIPTS += %D%/t1210-quantize-verb.sh
check_PROGRAMS += %D%/t1220-quantize-odd.t
t_t1220_quantize_odd_t_SOURCES = %D%/t1220-quantize-odd.c
t_t1220_quantize_odd_t_LDADD = $(TEST_LIBS)
