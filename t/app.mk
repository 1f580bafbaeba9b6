# Tests of the command line and of app/.
dist_check_SCRIPTS += \
	%D%/t9000-cli-version.sh %D%/t9010-cli-options.sh %D%/t9100-run.sh %D%/t9110-logits.sh \
	%D%/t9111-logits-act.sh %D%/t9120-bench.sh %D%/t9125-peers.sh %D%/t9130-need.sh %D%/t9140-conf.sh \
	%D%/t9150-show-machine.sh %D%/t9160-list.sh %D%/t9310-chat-plain.sh \
	%D%/t9320-chat-plain-tty.sh %D%/t9330-chat-more.sh %D%/t9335-chat-commands.sh

# A terminal (screenpty.h).
SCR = %D%/lib/screenpty.c %D%/lib/screenpty.h %D%/lib/scr.c %D%/lib/scr.h
# A chat without a view (drive.h).
check_LIBRARIES += %D%/libdrive.a
%C%_libdrive_a_SOURCES = %D%/lib/drive.h %D%/lib/drive.c
APP_TEST_LIBS = %D%/libdrive.a app/libapp.a $(TEST_LIBS) $(NCURSESW_LIBS) $(READLINE_LIBS) $(INIH_LIBS)
check_PROGRAMS += \
	%D%/t9040-paths.t %D%/t9050-termtext.t %D%/t9060-bench-stat.t %D%/t9070-profile.t \
	%D%/t9080-stop-think.t %D%/t9085-answer-think.t %D%/t9200-loop.t %D%/t9210-worker.t \
	%D%/t9225-limits.t %D%/t9230-machine.t %D%/t9240-store.t %D%/t9300-chat.t \
	%D%/t9305-model-switch.t %D%/t9306-switch-beside.t %D%/t9307-switch-memory.t %D%/t9308-switch-ids.t \
	%D%/t9325-plain-pty.t %D%/t9340-scribe.t %D%/t9341-draft.t %D%/t9345-recall.t
t_t9040_paths_t_LDADD = $(APP_TEST_LIBS)
t_t9050_termtext_t_LDADD = $(APP_TEST_LIBS)
t_t9060_bench_stat_t_LDADD = $(APP_TEST_LIBS)
t_t9070_profile_t_LDADD = $(APP_TEST_LIBS)
t_t9080_stop_think_t_LDADD = $(APP_TEST_LIBS)
t_t9085_answer_think_t_LDADD = $(APP_TEST_LIBS)
t_t9200_loop_t_LDADD = $(APP_TEST_LIBS)
t_t9210_worker_t_LDADD = $(APP_TEST_LIBS)
t_t9225_limits_t_LDADD = $(APP_TEST_LIBS)
t_t9230_machine_t_LDADD = $(APP_TEST_LIBS)
t_t9240_store_t_LDADD = $(APP_TEST_LIBS)
t_t9300_chat_t_LDADD = $(APP_TEST_LIBS)
t_t9305_model_switch_t_LDADD = $(APP_TEST_LIBS)
t_t9306_switch_beside_t_LDADD = $(APP_TEST_LIBS)
t_t9307_switch_memory_t_LDADD = $(APP_TEST_LIBS)
t_t9308_switch_ids_t_LDADD = $(APP_TEST_LIBS)
t_t9325_plain_pty_t_SOURCES = %D%/t9325-plain-pty.c $(SCR)
t_t9325_plain_pty_t_LDADD = $(TEST_LIBS)
t_t9340_scribe_t_LDADD = $(APP_TEST_LIBS)
t_t9341_draft_t_LDADD = $(APP_TEST_LIBS)
t_t9345_recall_t_LDADD = $(APP_TEST_LIBS)
