engine_libengine_a_SOURCES += \
	%D%/quant.h %D%/quant.c \
	%D%/layout.h %D%/layout.c \
	%D%/quant_block.h \
	%D%/quant_plain.c \
	%D%/quant_k.c \
	%D%/quant_iq.c \
	%D%/quant_tern.c
