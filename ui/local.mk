noinst_LIBRARIES += %D%/libui.a
%C%_libui_a_SOURCES = \
	%D%/ui.h \
	%D%/binding.h %D%/binding.c \
	%D%/bidi.h %D%/bidi.c \
	%D%/builtin.h %D%/builtin.c \
	%D%/codelook.h %D%/codelook.c \
	%D%/doc.h %D%/doc.c \
	%D%/docdraw.h %D%/docdraw.c \
	%D%/find.h %D%/find.c \
	%D%/frame.h %D%/frame.c \
	%D%/markdown.h %D%/markdown.c \
	%D%/mdkeep.h %D%/mdkeep.c \
	%D%/mdrows.h %D%/mdrows.c \
	%D%/gauge.h %D%/gauge.c %D%/gauge_table.c \
	%D%/header.h %D%/header.c \
	%D%/input.h %D%/input.c \
	%D%/key.h %D%/key.c \
	%D%/prompt.h %D%/prompt.c \
	%D%/pane.h \
	%D%/pane_chat.h %D%/pane_chat.c \
	%D%/pane_help.h %D%/pane_help.c \
	%D%/pane_models.h %D%/pane_models.c \
	%D%/screen.c \
	%D%/style.h %D%/style.c \
	%D%/term.h %D%/term.c \
	%D%/ttyask.h %D%/ttyask.c \
	%D%/ttysync.h %D%/ttysync.c \
	%D%/width.h %D%/width.c \
	%D%/wrap.h %D%/wrap.c
%C%_libui_a_CFLAGS = $(AM_CFLAGS) $(NCURSESW_CFLAGS) $(READLINE_CFLAGS) $(UNISTRING_CFLAGS) $(PCRE2_CFLAGS) $(MD4C_CFLAGS) $(FRIBIDI_CFLAGS)
nodist_%C%_libui_a_SOURCES = %D%/builtin_text.c
CLEANFILES += %D%/builtin_text.c
%D%/builtin_text.c: profiles/keys.conf profiles/themes.conf %D%/local.mk
	$(AM_V_GEN)$(MKDIR_P) %D% && { echo '#include "config.h"'; echo '#include "ui/builtin.h"'; \
	for f in keys themes; do echo "const char builtin_$$f[] ="; \
	sed 's/[\\"]/\\&/g; s/.*/"&\\n"/' $(srcdir)/profiles/$$f.conf; echo ';'; done; } >$@.new && mv $@.new $@
UI_LIBS = %D%/libui.a

# What the tables are told in: the man page, completions. A cross build cannot run what makes them and takes those of the tarball.
if RUN_MKDOC
noinst_PROGRAMS += %D%/mkdoc
%C%_mkdoc_SOURCES = %D%/mkdoc.h %D%/mkdoc.c %D%/mkdoc_man.c %D%/mkdoc_shell.c
%C%_mkdoc_LDADD = $(tidbit_LDADD)
DOCS = %D%/doc/tidbit.1 %D%/doc/bash/tidbit %D%/doc/zsh/_tidbit %D%/doc/fish/tidbit.fish
%D%/doc/tidbit.1: %D%/mkdoc$(EXEEXT)
	$(AM_V_GEN)$(MKDIR_P) %D%/doc && %D%/mkdoc$(EXEEXT) man >$@.new && mv $@.new $@
%D%/doc/bash/tidbit: %D%/mkdoc$(EXEEXT)
	$(AM_V_GEN)$(MKDIR_P) %D%/doc/bash && %D%/mkdoc$(EXEEXT) bash >$@.new && mv $@.new $@
%D%/doc/zsh/_tidbit: %D%/mkdoc$(EXEEXT)
	$(AM_V_GEN)$(MKDIR_P) %D%/doc/zsh && %D%/mkdoc$(EXEEXT) zsh >$@.new && mv $@.new $@
%D%/doc/fish/tidbit.fish: %D%/mkdoc$(EXEEXT)
	$(AM_V_GEN)$(MKDIR_P) %D%/doc/fish && %D%/mkdoc$(EXEEXT) fish >$@.new && mv $@.new $@
CLEANFILES += $(DOCS)
endif
if HAVE_DOCS
dist_man_MANS = %D%/doc/tidbit.1
bashcompdir = $(BASH_COMPLETION_DIR)
dist_bashcomp_DATA = %D%/doc/bash/tidbit
zshcompdir = $(datadir)/zsh/site-functions
dist_zshcomp_DATA = %D%/doc/zsh/_tidbit
fishcompdir = $(datadir)/fish/vendor_completions.d
dist_fishcomp_DATA = %D%/doc/fish/tidbit.fish
endif
