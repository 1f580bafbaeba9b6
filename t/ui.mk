# Tests of ui.
check_PROGRAMS += %D%/t9520-key-decode.t
t_t9520_key_decode_t_SOURCES = %D%/t9520-key-decode.c
t_t9520_key_decode_t_LDADD = ui/libui.a $(APP_TEST_LIBS)
check_PROGRAMS += %D%/t9530-width.t
t_t9530_width_t_SOURCES = %D%/t9530-width.c
t_t9530_width_t_LDADD = ui/libui.a $(APP_TEST_LIBS)
dist_check_SCRIPTS += %D%/t9500-screen-chat.sh
dist_check_SCRIPTS += %D%/t9510-screen-restore.sh
dist_check_SCRIPTS += %D%/t9550-screen-read.sh
dist_check_SCRIPTS += %D%/t9560-screen-input.sh
dist_check_SCRIPTS += %D%/t9570-screen-leave.sh
dist_check_SCRIPTS += %D%/t9565-screen-models.sh %D%/t9595-completion.sh
check_PROGRAMS += %D%/t9594-docs.t
t_t9594_docs_t_SOURCES = %D%/t9594-docs.c
t_t9594_docs_t_LDADD = ui/libui.a $(MD4C_LIBS) $(FRIBIDI_LIBS) $(APP_TEST_LIBS)
EXTRA_DIST += %D%/lib/screen-lib.sh
dist_check_SCRIPTS += %D%/t9590-screen-pictures.sh
EXTRA_DIST += %D%/data/languages.txt %D%/data/emoji.txt %D%/data/bidi-rows.txt %D%/data/screens
check_PROGRAMS += %D%/t9540-markdown.t
t_t9540_markdown_t_SOURCES = %D%/t9540-markdown.c
t_t9540_markdown_t_LDADD = ui/libui.a $(MD4C_LIBS) $(FRIBIDI_LIBS) $(APP_TEST_LIBS)
EXTRA_DIST += %D%/lib/answers.md
check_PROGRAMS += %D%/t9545-bidi.t
t_t9545_bidi_t_SOURCES = %D%/t9545-bidi.c
t_t9545_bidi_t_LDADD = ui/libui.a $(MD4C_LIBS) $(FRIBIDI_LIBS) $(APP_TEST_LIBS)
check_PROGRAMS += %D%/t9580-screen-pty.t
t_t9580_screen_pty_t_SOURCES = %D%/t9580-screen-pty.c %D%/lib/screenpty.c %D%/lib/screenpty.h
t_t9580_screen_pty_t_LDADD = $(TEST_LIBS)
# All of what that one does a part of.
screen-campaign: tidbit $(check_LIBRARIES) %D%/t9580-screen-pty.t
	@$(AM_TESTS_ENVIRONMENT) TIDBIT_CAMPAIGN=1 %D%/t9580-screen-pty.t
