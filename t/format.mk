# Tests of format.
check_PROGRAMS += %D%/t0500-gguf-read.t %D%/t0510-gguf-bad.t %D%/t0520-map-cut.t %D%/t0540-gguf-mutants.t \
	%D%/t0550-model-info.t
dist_check_SCRIPTS += %D%/t0530-show.sh

# All mutants; best in a build configured with --enable-sanitize.
mutants: t/t0540-gguf-mutants.t
	$(AM_TESTS_ENVIRONMENT) MUTANTS=10000 ./t/t0540-gguf-mutants.t
.PHONY: mutants

# Fuzz targets: sources are compiled anew, for clang's coverage; small sound files to begin with.
FUZZ_CC = clang
FUZZ_FLAGS = -g -O1 -std=gnu11 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined
FUZZ_FORMAT = engine/base/err.c engine/base/str.c engine/base/xio.c engine/base/os.c engine/base/os_linux.c \
	engine/format/gguf.c engine/format/map.c engine/quant/layout.c
FUZZ_GGUF = %D%/fuzz/fuzz_gguf.c $(FUZZ_FORMAT)
EXTRA_PROGRAMS += %D%/fuzz/seeds_gguf
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
