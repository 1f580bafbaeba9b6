# Tests of templates and conversations.
check_LIBRARIES += %D%/libjinjacases.a
%C%_libjinjacases_a_SOURCES = %D%/lib/jinja-cases.h %D%/lib/jinja-cases.c
%C%_libjinjacases_a_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
JINJA_LIBS = %D%/libjinjacases.a $(TEST_LIBS)
check_PROGRAMS += %D%/t2500-jinja-cases.t
t_t2500_jinja_cases_t_SOURCES = %D%/t2500-jinja-cases.c
t_t2500_jinja_cases_t_LDADD = $(JINJA_LIBS)
check_PROGRAMS += %D%/t2510-template-renderings.t
t_t2510_template_renderings_t_SOURCES = %D%/t2510-template-renderings.c
t_t2510_template_renderings_t_LDADD = $(JINJA_LIBS)
check_PROGRAMS += %D%/t2540-prompt-ids.t
t_t2540_prompt_ids_t_SOURCES = %D%/t2540-prompt-ids.c
t_t2540_prompt_ids_t_LDADD = $(JINJA_LIBS)
dist_check_SCRIPTS += %D%/t2550-template-verb.sh
