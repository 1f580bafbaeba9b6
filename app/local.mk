noinst_LIBRARIES += %D%/libapp.a
%C%_libapp_a_SOURCES = \
	%D%/cmd.h %D%/answer.h %D%/loop.h %D%/worker.h %D%/chat.h \
	%D%/answer.c \
	%D%/loop.c %D%/worker.c %D%/chat.c %D%/slash.c
%C%_libapp_a_CFLAGS = $(AM_CFLAGS) $(READLINE_CFLAGS) $(JANSSON_CFLAGS) $(UNISTRING_CFLAGS)
bin_PROGRAMS += tidbit
tidbit_SOURCES = %D%/main.c
tidbit_LDADD = ui/libui.a %D%/libapp.a $(ENGINE_LDADD) $(NCURSESW_LIBS) $(READLINE_LIBS) $(JANSSON_LIBS)
