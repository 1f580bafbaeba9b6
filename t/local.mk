TAP_DRIVER = env AM_TAP_AWK='$(AWK)' $(SHELL) $(top_srcdir)/build-aux/tap-driver.sh
LOG_DRIVER = $(TAP_DRIVER)
T_LOG_DRIVER = $(TAP_DRIVER)
SH_LOG_DRIVER = $(TAP_DRIVER)
SH_LOG_COMPILER = $(SHELL)
TEST_EXTENSIONS = .t .sh
# Everything that could make a screen or a message differ from one machine to the next is pinned here.
AM_TESTS_ENVIRONMENT = \
	TEST_BUILD='$(abs_builddir)'; TEST_SRC='$(abs_top_srcdir)'; \
	TIDBIT_DATA="$${TIDBIT_DATA:-$(abs_top_srcdir)/../shared/data}"; \
	TIDBIT_PROFILES='$(abs_top_srcdir)/profiles'; \
	TZ=UTC; LC_ALL=C.UTF-8; \
	export TEST_BUILD TEST_SRC TIDBIT_DATA TIDBIT_PROFILES TZ LC_ALL;
check_LIBRARIES += %D%/libtap.a
%C%_libtap_a_SOURCES = %D%/lib/tap.h %D%/lib/tap.c \
	%D%/lib/ggufmake.h %D%/lib/ggufmake.c \
	%D%/lib/tmp.h %D%/lib/tmp.c \
	%D%/lib/mutant.h %D%/lib/mutant.c \
	%D%/lib/model.h %D%/lib/model.c \
	%D%/lib/tiny.h %D%/lib/tiny.c \
	%D%/lib/tok.h %D%/lib/tok.c \
	%D%/lib/jinja-cases.h %D%/lib/jinja-cases.c
%C%_libtap_a_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
TEST_LIBS = %D%/libtap.a $(ENGINE_LDADD) $(JANSSON_LIBS)

# One list a room. A test's source is of its name, and what it is linked with is this unless its room says otherwise:
# a new one is a word in a list, and of app and ui another line.
LDADD = $(TEST_LIBS)
include %D%/base.mk
include %D%/format.mk
include %D%/quant.mk
include %D%/kernels.mk
include %D%/text.mk
include %D%/model.mk
# Scripts drive the program.
if ENGINE_ONLY
TESTS += $(check_PROGRAMS)
else
include %D%/app.mk
include %D%/ui.mk
TESTS += $(check_PROGRAMS) $(dist_check_SCRIPTS)
endif

# The engine built for aarch64 and tested by an emulator; says what is missing where that cannot be done.
check-aarch64:
	@$(AM_TESTS_ENVIRONMENT) $(SHELL) $(srcdir)/%D%/check-aarch64.sh '$(abs_top_srcdir)'; r=$$?; test $$r = 77 || exit $$r
.PHONY: check-aarch64
EXTRA_DIST += %D%/check-aarch64.sh
EXTRA_DIST += %D%/lib/test-lib.sh

# Speed beside the peers: make speed LLAMA_BENCH=PATH IK_LLAMA_BENCH=PATH. Models of real shapes with random
# weights are made in SPEED_DIR once; LEVELS and SHAPES say which. The reference data's SmolLM2, where there is
# one, comes after them.
EXTRA_DIST += %D%/peers.sh
SPEED_DIR = speed
SHAPES = qwen3-0.6b
LEVELS = Q4_0 Q8_0 Q5_1 Q4_K_M Q6_K
speed: tidbit$(EXEEXT) %D%/helper/mkmodel$(EXEEXT)
	@$(MKDIR_P) $(SPEED_DIR)
	@for s in $(SHAPES); do for l in $(LEVELS); do \
		test -f $(SPEED_DIR)/$$s-$$l.gguf || %D%/helper/mkmodel $$s $$l $(SPEED_DIR)/$$s-$$l.gguf >/dev/null || exit 1; \
	done; done
	@{ for s in $(SHAPES); do for l in $(LEVELS); do echo $(SPEED_DIR)/$$s-$$l.gguf; done; done; \
		ls "$${TIDBIT_DATA:-$(abs_top_srcdir)/../shared/data}"/models/smollm2-135m-instruct/*.gguf 2>/dev/null; } | xargs \
		$(SHELL) $(srcdir)/%D%/peers.sh --tidbit ./tidbit$(EXEEXT) $(if $(LLAMA_BENCH),--llama-bench $(LLAMA_BENCH)) \
		$(if $(IK_LLAMA_BENCH),--ik-llama-bench $(IK_LLAMA_BENCH)) $(SPEED_FLAGS)

# What the screen costs beside run: make screen-overhead MODEL=FILE [OVERHEAD_FLAGS="--pairs 31"].
EXTRA_DIST += %D%/overhead.sh
screen-overhead: tidbit$(EXEEXT)
	@$(SHELL) $(srcdir)/%D%/overhead.sh --tidbit ./tidbit$(EXEEXT) $(OVERHEAD_FLAGS) $(MODEL)
.PHONY: speed screen-campaign screen-overhead
