# The functions of the types are compiled for any machine, and once more for each instruction set.
QUANT_CODECS = engine/quant/quant_block.h engine/quant/lanes.h engine/quant/quant_codecs.c \
	engine/quant/quant_plain.c engine/quant/quant_k.c engine/quant/quant_iq.c engine/quant/quant_tern.c
# No code asks which exceptions floats raised; without that, choices vectorize. It changes no result.
QUANT_CFLAGS = -fno-trapping-math
engine_libengine_a_SOURCES += %D%/quant.h %D%/quant.c %D%/layout.h %D%/layout.c $(QUANT_CODECS)
if HAVE_ISA_AVX2
noinst_LIBRARIES += engine/libquant_avx2.a
ISA_LIBS += engine/libquant_avx2.a
engine_libquant_avx2_a_SOURCES = $(QUANT_CODECS)
engine_libquant_avx2_a_CPPFLAGS = $(AM_CPPFLAGS) -DQUANT_ISA=_avx2
engine_libquant_avx2_a_CFLAGS = $(AM_CFLAGS) $(QUANT_CFLAGS) -mavx2
endif
if HAVE_ISA_AVX512VNNI
noinst_LIBRARIES += engine/libquant_avx512vnni.a
ISA_LIBS += engine/libquant_avx512vnni.a
engine_libquant_avx512vnni_a_SOURCES = $(QUANT_CODECS)
engine_libquant_avx512vnni_a_CPPFLAGS = $(AM_CPPFLAGS) -DQUANT_ISA=_avx512vnni
engine_libquant_avx512vnni_a_CFLAGS = $(AM_CFLAGS) $(QUANT_CFLAGS) -mavx2 -mavx512f -mavx512bw -mavx512dq -mavx512vl
endif
