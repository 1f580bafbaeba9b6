noinst_LIBRARIES += %D%/libapp.a
%C%_libapp_a_SOURCES = \
	%D%/cmd.h %D%/answer.h %D%/loop.h %D%/worker.h %D%/chat.h \
	%D%/opt.h %D%/help.h %D%/paths.h %D%/termtext.h %D%/version.h \
	%D%/answer.c %D%/stop.h %D%/stop.c %D%/think.h %D%/think.c \
	%D%/loop.c %D%/worker.c %D%/chat.c %D%/chat_impl.h %D%/chat_model.c %D%/chat_turns.c \
	%D%/chat_plain.c %D%/plainline.h %D%/plainline.c %D%/crash.h %D%/crash.c %D%/outside.h %D%/outside.c %D%/slash.h %D%/slash.c \
	%D%/argspec.h %D%/argspec.c %D%/slash_complete.c %D%/slash_set.c %D%/slash_quant.c %D%/slash_stats.c \
	%D%/slash_model.c %D%/slash_export.c %D%/fence.h %D%/fence.c %D%/export.h %D%/export.c %D%/clip.h %D%/clip.c \
	%D%/models.h %D%/models.c \
	%D%/cmd.c %D%/opt.c %D%/help.c %D%/version.c \
	%D%/cmd_chat.c %D%/cmd_run.c %D%/cmd_bench.c %D%/cmd_logits.c %D%/cmd_show.c %D%/cmd_tokenize.c %D%/cmd_template.c %D%/cmd_quantize.c \
	%D%/bench.h %D%/bench.c %D%/bench_profile.c %D%/sink.h %D%/sink.c %D%/sink_md.c %D%/sink_csv.c %D%/sink_json.c \
	%D%/rig.h %D%/rig.c %D%/interrupt.h %D%/interrupt.c %D%/meter.h %D%/meter.c \
	%D%/units.h %D%/units.c %D%/need.h %D%/need.c \
	%D%/draft.h %D%/draft.c %D%/keep.h %D%/keep.c \
	%D%/chat_weigh.c %D%/chat_level.c %D%/chat_save.c %D%/saver.h %D%/saver.c %D%/scribe.h %D%/scribe.c %D%/memory.h %D%/memory.c %D%/energy.h %D%/energy.c %D%/limits.h %D%/limits.c \
	%D%/handover.h %D%/handover.c %D%/maker.h %D%/maker.c \
	%D%/room.h %D%/room.c %D%/tools.h %D%/tools.c %D%/inifile.h %D%/inifile.c %D%/profile.h %D%/profile.c \
	%D%/levelname.h %D%/levelname.c %D%/conf.h %D%/conf.c %D%/field.h %D%/field.c \
	%D%/store.h %D%/store.c %D%/store_places.c %D%/cmd_list.c \
	%D%/machine.h %D%/machine.c %D%/show.h %D%/show_machine.c \
	%D%/inputrc.h %D%/inputrc.c %D%/recall.h %D%/recall.c %D%/paths.c %D%/termtext.c
%C%_libapp_a_CPPFLAGS = $(AM_CPPFLAGS) -DBUILD_HOST='"$(host)"' -DBUILD_CFLAGS='"$(CFLAGS)"'
%C%_libapp_a_CFLAGS = $(AM_CFLAGS) $(NCURSESW_CFLAGS) $(READLINE_CFLAGS) $(JANSSON_CFLAGS) $(INIH_CFLAGS) $(UNISTRING_CFLAGS)
bin_PROGRAMS += tidbit
tidbit_SOURCES = %D%/main.c
APP_LDADD = %D%/libapp.a $(ENGINE_LDADD) $(NCURSESW_LIBS) $(READLINE_LIBS) $(JANSSON_LIBS) $(INIH_LIBS)
tidbit_LDADD = ui/libui.a $(MD4C_LIBS) $(FRIBIDI_LIBS) $(APP_LDADD)
