engine_libengine_a_SOURCES += %D%/gguf.h
