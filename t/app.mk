# Tests of the command line and of app/.
dist_check_SCRIPTS += %D%/t9000-cli-version.sh
dist_check_SCRIPTS += %D%/t9010-cli-options.sh
dist_check_SCRIPTS += %D%/t9100-run.sh
dist_check_SCRIPTS += %D%/t9110-logits.sh
dist_check_SCRIPTS += %D%/t9120-bench.sh

APP_TEST_LIBS = app/libapp.a $(TEST_LIBS) $(NCURSESW_LIBS) $(READLINE_LIBS) $(INIH_LIBS)
check_PROGRAMS += %D%/t9040-paths.t
t_t9040_paths_t_SOURCES = %D%/t9040-paths.c
t_t9040_paths_t_LDADD = $(APP_TEST_LIBS)
check_PROGRAMS += %D%/t9050-termtext.t
t_t9050_termtext_t_SOURCES = %D%/t9050-termtext.c
t_t9050_termtext_t_LDADD = $(APP_TEST_LIBS)
check_PROGRAMS += %D%/t9060-bench-stat.t
t_t9060_bench_stat_t_SOURCES = %D%/t9060-bench-stat.c
t_t9060_bench_stat_t_LDADD = $(APP_TEST_LIBS)
check_PROGRAMS += %D%/t9200-loop.t
t_t9200_loop_t_SOURCES = %D%/t9200-loop.c
t_t9200_loop_t_LDADD = $(APP_TEST_LIBS)
check_PROGRAMS += %D%/t9300-chat.t
t_t9300_chat_t_SOURCES = %D%/t9300-chat.c
t_t9300_chat_t_LDADD = $(APP_TEST_LIBS)
check_PROGRAMS += %D%/t9210-worker.t
t_t9210_worker_t_SOURCES = %D%/t9210-worker.c
t_t9210_worker_t_LDADD = $(APP_TEST_LIBS)
dist_check_SCRIPTS += %D%/t9310-chat-plain.sh %D%/t9320-chat-plain-tty.sh
