engine_libengine_a_SOURCES += %D%/level.h
