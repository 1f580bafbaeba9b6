engine_libengine_a_SOURCES += \
	%D%/err.h %D%/err.c %D%/hash.h \
	%D%/str.h %D%/str.c \
	%D%/xio.h %D%/xio.c \
	%D%/pool.h %D%/pool.c \
	%D%/os.h %D%/os.c
if OS_DARWIN
engine_libengine_a_SOURCES += %D%/os_darwin.c
else
engine_libengine_a_SOURCES += %D%/os_linux.c
endif
EXTRA_DIST += %D%/os_darwin.c %D%/os_linux.c
