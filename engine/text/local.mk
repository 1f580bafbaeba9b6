engine_libengine_a_SOURCES += %D%/prompt.h %D%/jinja.h %D%/vocab.h
