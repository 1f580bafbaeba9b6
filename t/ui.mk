# Tests of ui.
dist_check_SCRIPTS += \
	%D%/t9500-screen-chat.sh %D%/t9510-screen-restore.sh %D%/t9550-screen-read.sh %D%/t9560-screen-input.sh \
	%D%/t9565-screen-models.sh %D%/t9570-screen-leave.sh %D%/t9590-screen-pictures.sh %D%/t9595-completion.sh
EXTRA_DIST += %D%/lib/screen-lib.sh %D%/lib/answers.md %D%/data/screens \
	%D%/data/languages.txt %D%/data/emoji.txt %D%/data/bidi-rows.txt
UI_TEST_LIBS = ui/libui.a $(MD4C_LIBS) $(FRIBIDI_LIBS) $(APP_TEST_LIBS)
check_PROGRAMS += %D%/t9520-key-decode.t %D%/t9526-frame.t %D%/t9530-width.t %D%/t9540-markdown.t %D%/t9545-bidi.t \
	%D%/t9580-screen-pty.t %D%/t9582-screen-hostile.t %D%/t9594-docs.t
t_t9520_key_decode_t_LDADD = $(UI_TEST_LIBS)
t_t9526_frame_t_LDADD = $(UI_TEST_LIBS)
t_t9530_width_t_LDADD = $(UI_TEST_LIBS)
t_t9540_markdown_t_LDADD = $(UI_TEST_LIBS)
t_t9545_bidi_t_LDADD = $(UI_TEST_LIBS)
t_t9594_docs_t_LDADD = $(UI_TEST_LIBS)
t_t9580_screen_pty_t_SOURCES = %D%/t9580-screen-pty.c $(SCR)
t_t9580_screen_pty_t_LDADD = $(TEST_LIBS)
t_t9582_screen_hostile_t_SOURCES = %D%/t9582-screen-hostile.c $(SCR)
t_t9582_screen_hostile_t_LDADD = $(TEST_LIBS)
# All of what these do a part of.
screen-campaign: tidbit $(check_LIBRARIES) %D%/t9580-screen-pty.t %D%/t9582-screen-hostile.t
	@$(AM_TESTS_ENVIRONMENT) TIDBIT_CAMPAIGN=1; export TIDBIT_CAMPAIGN; r=0; \
	for t in t9580-screen-pty t9582-screen-hostile; do %D%/$$t.t || r=1; done; exit $$r
