engine_libengine_a_SOURCES += \
	%D%/kern.h %D%/kern.c \
	%D%/cpu.h %D%/cpu.c \
	%D%/kern_scalar.h %D%/kern_scalar.c %D%/kern_scalar_mul.c %D%/kern_scalar_attn.c

ISA_LIBS =
KERN_BLOCK = %D%/kern_block.h %D%/kern_plain.h %D%/kern_super.h
KERN_AVX2 = $(KERN_BLOCK) %D%/kern_avx2.h %D%/kern_avx2_block.h %D%/kern_avx2.c %D%/kern_avx2_plain.c \
	%D%/kern_avx2_super.c %D%/kern_avx2_float.c %D%/kern_avx2_ops.c %D%/kern_avx2_attn.c
KERN_AVX512VNNI = $(KERN_BLOCK) %D%/kern_avx512vnni.h %D%/kern_avx512vnni_plain.c \
	%D%/kern_avx512vnni_super.c
if HAVE_ISA_AVX2
noinst_LIBRARIES += engine/libkern_avx2.a
ISA_LIBS += engine/libkern_avx2.a
engine_libkern_avx2_a_SOURCES = $(KERN_AVX2)
engine_libkern_avx2_a_CFLAGS = $(AM_CFLAGS) -mavx2 -mfma -mf16c
endif
if HAVE_ISA_AVX512VNNI
noinst_LIBRARIES += engine/libkern_avx512vnni.a
ISA_LIBS += engine/libkern_avx512vnni.a
engine_libkern_avx512vnni_a_SOURCES = $(KERN_AVX512VNNI)
engine_libkern_avx512vnni_a_CFLAGS = $(AM_CFLAGS) -mavx2 -mfma -mf16c -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx512vnni
endif
EXTRA_DIST += $(KERN_AVX2) $(KERN_AVX512VNNI)
