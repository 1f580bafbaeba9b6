engine_libengine_a_SOURCES += \
	%D%/family.h %D%/family.c \
	%D%/config.h %D%/config.c \
	%D%/weights.h %D%/weights.c \
	%D%/model.h %D%/model.c \
	%D%/info.h %D%/info.c \
	%D%/kv.h %D%/kv.c \
	%D%/rope.h %D%/rope.c \
	%D%/forward.h %D%/forward.c \
	%D%/session.h %D%/session.c \
	%D%/sched.c \
	%D%/sampler.c
