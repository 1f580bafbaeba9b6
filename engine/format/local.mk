engine_libengine_a_SOURCES += \
	%D%/gguf.h %D%/gguf.c \
	%D%/gguf_write.h %D%/gguf_write.c \
	%D%/map.h %D%/map.c
