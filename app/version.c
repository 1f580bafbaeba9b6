#include "config.h"
#include "app/version.h"
#include "engine/base/os.h"
#include "engine/engine.h"

#include <stdio.h>

#include <curses.h>
#include <jansson.h>
#include <readline/readline.h>

/* local.mk gives these two. */
#ifndef BUILD_HOST
#define BUILD_HOST "unknown"
#endif
#ifndef BUILD_CFLAGS
#define BUILD_CFLAGS ""
#endif

#if defined(__clang__)
#define COMPILER "clang " __clang_version__
#elif defined(__GNUC__)
#define COMPILER "gcc " __VERSION__
#else
#define COMPILER "cc"
#endif

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED ", address sanitizer"
#elif defined(__SANITIZE_THREAD__)
#define SANITIZED ", thread sanitizer"
#else
#define SANITIZED ""
#endif

void version_text(struct str *out)
{
	char buf[512];

	str_addf(out, "tidbit %s (%s)\n", eng_version(), BUILD_HOST);
	str_addf(out, "built with        %s, %s%s\n", COMPILER, BUILD_CFLAGS, SANITIZED);
	str_addf(out, "instruction sets  %s\n", eng_isa_names(buf, sizeof buf));
	str_addf(out, "machine           %s, %d threads\n", os_cpu_name(), os_compute_threads());
	str_addf(out, "libraries         %s", eng_libraries(buf, sizeof buf));
	str_addf(out, ", %s, readline %s, jansson %s\n", curses_version(), rl_library_version, JANSSON_VERSION);
	str_adds(out, "licence           GPL-3.0-or-later; no warranty\n");
}
