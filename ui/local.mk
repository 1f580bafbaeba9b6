noinst_LIBRARIES += %D%/libui.a
%C%_libui_a_SOURCES = %D%/ui.h %D%/ui.c
%C%_libui_a_CFLAGS = $(AM_CFLAGS) $(NCURSESW_CFLAGS) $(READLINE_CFLAGS) $(UNISTRING_CFLAGS)
