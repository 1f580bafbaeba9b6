# The engine: one archive for the rooms, one more per instruction set, because
# compiler flags belong to a target. Each room lists its own files.
noinst_LIBRARIES += %D%/libengine.a
engine_libengine_a_SOURCES = %D%/engine.h %D%/engine.c
engine_libengine_a_CFLAGS = $(AM_CFLAGS) $(PCRE2_CFLAGS) $(JANSSON_CFLAGS) $(UNISTRING_CFLAGS)
ISA_LIBS =

include %D%/base/local.mk
include %D%/format/local.mk
include %D%/quant/local.mk
include %D%/kernels/local.mk
include %D%/text/local.mk
include %D%/model/local.mk
include %D%/make/local.mk

ENGINE_LIBS = %D%/libengine.a $(ISA_LIBS)
ENGINE_LDADD = $(ENGINE_LIBS) $(PCRE2_LIBS) $(JANSSON_LIBS) $(UNISTRING_LIBS) -lm
