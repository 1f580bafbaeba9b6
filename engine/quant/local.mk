engine_libengine_a_SOURCES += %D%/quant.h
