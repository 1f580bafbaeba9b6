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

check_PROGRAMS += %D%/t0550-model-info.t
t_t0550_model_info_t_SOURCES = %D%/t0550-model-info.c
t_t0550_model_info_t_LDADD = $(TEST_LIBS)

# All mutants; best in a build configured with --enable-sanitize.
mutants: t/t0540-gguf-mutants.t
	$(AM_TESTS_ENVIRONMENT) MUTANTS=10000 ./t/t0540-gguf-mutants.t
.PHONY: mutants

# Fuzz targets: sources are compiled anew, for clang's coverage; small sound files to begin with.
FUZZ_CC = clang
FUZZ_FLAGS = -g -O1 -std=gnu11 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined
FUZZ_GGUF = %D%/fuzz/fuzz_gguf.c engine/format/gguf.c engine/format/map.c engine/quant/layout.c \
	engine/base/err.c engine/base/str.c engine/base/xio.c
EXTRA_PROGRAMS += %D%/fuzz/seeds_gguf
t_fuzz_seeds_gguf_SOURCES = %D%/fuzz/seeds_gguf.c
t_fuzz_seeds_gguf_LDADD = %D%/libtap.a
fuzz: %D%/fuzz/fuzz_gguf %D%/fuzz/seeds_gguf
	$(MKDIR_P) %D%/fuzz/gguf && %D%/fuzz/seeds_gguf %D%/fuzz/gguf
	@echo "now: %D%/fuzz/fuzz_gguf -max_len=4096 -rss_limit_mb=512 -max_total_time=600 %D%/fuzz/gguf"
%D%/fuzz/fuzz_gguf: $(FUZZ_GGUF)
	$(MKDIR_P) %D%/fuzz
	cd $(srcdir) && $(FUZZ_CC) $(FUZZ_FLAGS) -I'$(abs_builddir)' -I. -o '$(abs_builddir)'/$@ $(FUZZ_GGUF) -lpthread
clean-local:
	rm -rf %D%/fuzz/gguf %D%/fuzz/fuzz_gguf
.PHONY: fuzz
EXTRA_DIST += %D%/fuzz/fuzz_gguf.c
