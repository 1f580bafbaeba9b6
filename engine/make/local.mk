engine_libengine_a_SOURCES += %D%/level.h %D%/ladder.h %D%/ladder.c
