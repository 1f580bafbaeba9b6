engine_libengine_a_SOURCES += \
	%D%/quant.h %D%/quant.c \
	%D%/quant_block.h \
	%D%/quant_plain.c \
	%D%/quant_k.c
