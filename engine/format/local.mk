engine_libengine_a_SOURCES += \
	%D%/gguf.h %D%/gguf.c \
	%D%/map.h %D%/map.c
