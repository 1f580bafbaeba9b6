# Tests of format.
check_PROGRAMS += %D%/t0500-gguf-read.t
t_t0500_gguf_read_t_SOURCES = %D%/t0500-gguf-read.c
t_t0500_gguf_read_t_LDADD = $(TEST_LIBS)

check_PROGRAMS += %D%/t0510-gguf-bad.t
t_t0510_gguf_bad_t_SOURCES = %D%/t0510-gguf-bad.c
t_t0510_gguf_bad_t_LDADD = $(TEST_LIBS)

check_PROGRAMS += %D%/t0520-map-cut.t
t_t0520_map_cut_t_SOURCES = %D%/t0520-map-cut.c
t_t0520_map_cut_t_LDADD = $(TEST_LIBS)

dist_check_SCRIPTS += %D%/t0530-show.sh

check_PROGRAMS += %D%/t0540-gguf-mutants.t
t_t0540_gguf_mutants_t_SOURCES = %D%/t0540-gguf-mutants.c
t_t0540_gguf_mutants_t_LDADD = $(TEST_LIBS)

# All mutants; best in a build configured with --enable-sanitize.
mutants: t/t0540-gguf-mutants.t
	$(AM_TESTS_ENVIRONMENT) MUTANTS=10000 ./t/t0540-gguf-mutants.t
.PHONY: mutants
