engine_libengine_a_SOURCES += %D%/level.h %D%/level.c %D%/quantize.c %D%/ladder.h %D%/ladder.c \
	%D%/need.h %D%/need.c
