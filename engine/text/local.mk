engine_libengine_a_SOURCES += %D%/prompt.h %D%/jinja.h %D%/vocab.h \
	%D%/vocab_impl.h %D%/merge.h %D%/presplit.h %D%/utf8.h \
	%D%/vocab.c %D%/special.c %D%/presplit.c %D%/bpe.c %D%/spm.c %D%/encode.c %D%/detok.c
