engine_libengine_a_SOURCES += \
	%D%/kern.h %D%/kern.c %D%/kern_pack.h %D%/kern_pack.c \
	%D%/cpu.h %D%/cpu.c \
	%D%/probe.h %D%/probe.c %D%/probe_scalar.c \
	%D%/kern_scalar.h %D%/kern_ops.h %D%/kern_scalar.c %D%/kern_scalar_mul.c %D%/kern_scalar_attn.c

KERN_BLOCK = %D%/kern_inline.h %D%/kern_piece.h %D%/kern_block.h %D%/kern_plain.h %D%/kern_super.h %D%/kern_float.h
KERN_AVX2 = $(KERN_BLOCK) %D%/kern_avx2.h %D%/kern_avx2_block.h %D%/kern_avx2_mad.h %D%/kern_avx2.c %D%/kern_avx2_plain.c \
	%D%/kern_avx2_super.c %D%/kern_avx2_float.c \
	%D%/kern_avx2_ops.c %D%/kern_avx2_attn.c \
	%D%/probe.h %D%/probe_avx2.c
KERN_AVXVNNI = %D%/kern_lift.h $(KERN_BLOCK) %D%/kern_avx2.h %D%/kern_avx2_block.h %D%/kern_avxvnni.h %D%/kern_avxvnni_plain.c \
	%D%/kern_avxvnni_super.c %D%/probe.h %D%/probe_avxvnni.c
KERN_AVX512VNNI = $(KERN_BLOCK) %D%/kern_lift.h %D%/kern_avx512vnni.h %D%/kern_avx512vnni_vec.h %D%/kern_avx512vnni_block.h %D%/kern_avx512vnni_plain.c \
	%D%/kern_avx512vnni_super.c %D%/kern_avx512vnni_float.c \
	%D%/kern_avx512vnni_ops.c %D%/kern_avx512vnni_attn.h %D%/kern_avx512vnni_attn.c %D%/probe.h %D%/probe_avx512vnni.c
KERN_AMX = %D%/kern_lift.h %D%/kern_inline.h %D%/kern_piece.h %D%/kern_plain.h %D%/kern_super.h %D%/kern_avx512vnni.h \
	%D%/kern_avx512vnni_vec.h %D%/kern_amx.h %D%/kern_amx_block.h %D%/kern_amx_plain.c %D%/kern_amx_super.c %D%/kern_avx512vnni_attn.h %D%/kern_amx_attn.c \
	%D%/probe.h %D%/probe_amx.c
KERN_NEON = $(KERN_BLOCK) %D%/kern_neon.h %D%/kern_neon_block.h %D%/kern_neon_mla.h %D%/kern_neon.c \
	%D%/kern_neon_plain.c %D%/kern_neon_super.c %D%/kern_neon_float.c \
	%D%/kern_neon_ops.c %D%/kern_neon_attn.c \
	%D%/probe.h %D%/probe_neon.c
KERN_DOTPROD = $(KERN_BLOCK) %D%/kern_neon.h %D%/kern_neon_block.h %D%/kern_neon_dot.h %D%/kern_neon_dot_plain.c \
	%D%/kern_neon_dot_super.c %D%/probe.h %D%/probe_dotprod.c
if HAVE_ISA_AVX2
noinst_LIBRARIES += engine/libkern_avx2.a
ISA_LIBS += engine/libkern_avx2.a
engine_libkern_avx2_a_SOURCES = $(KERN_AVX2)
engine_libkern_avx2_a_CFLAGS = $(AM_CFLAGS) -mavx2 -mfma -mf16c
endif
if HAVE_ISA_AVXVNNI
noinst_LIBRARIES += engine/libkern_avxvnni.a
ISA_LIBS += engine/libkern_avxvnni.a
engine_libkern_avxvnni_a_SOURCES = $(KERN_AVXVNNI)
engine_libkern_avxvnni_a_CFLAGS = $(AM_CFLAGS) -mavx2 -mfma -mf16c -mavxvnni
endif
if HAVE_ISA_AVX512VNNI
noinst_LIBRARIES += engine/libkern_avx512vnni.a
ISA_LIBS += engine/libkern_avx512vnni.a
engine_libkern_avx512vnni_a_SOURCES = $(KERN_AVX512VNNI)
engine_libkern_avx512vnni_a_CFLAGS = $(AM_CFLAGS) -mavx2 -mfma -mf16c -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx512vnni
endif
if HAVE_ISA_AMX
noinst_LIBRARIES += engine/libkern_amx.a
ISA_LIBS += engine/libkern_amx.a
engine_libkern_amx_a_SOURCES = $(KERN_AMX)
engine_libkern_amx_a_CFLAGS = $(AM_CFLAGS) -mavx2 -mfma -mf16c -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx512vnni
endif
if HAVE_ISA_NEON
noinst_LIBRARIES += engine/libkern_neon.a
ISA_LIBS += engine/libkern_neon.a
engine_libkern_neon_a_SOURCES = $(KERN_NEON)
endif
if HAVE_ISA_DOTPROD
noinst_LIBRARIES += engine/libkern_dotprod.a
ISA_LIBS += engine/libkern_dotprod.a
engine_libkern_dotprod_a_SOURCES = $(KERN_DOTPROD)
engine_libkern_dotprod_a_CFLAGS = $(AM_CFLAGS) -march=armv8.2-a+dotprod
endif
EXTRA_DIST += $(KERN_AVX2) $(KERN_AVXVNNI) $(KERN_AVX512VNNI) $(KERN_AMX) $(KERN_NEON) $(KERN_DOTPROD)
