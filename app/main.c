/* The program: the one place that knows both app and ui. */
#include "config.h"
#include "app/cmd.h"
#include "engine/base/os.h"
#include "ui/ui.h"

#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * A standard stream that the caller closed must not become a model's or a result's file. Opened
 * the wrong way round on purpose: using it is an error that is noticed.
 */
static void hold_standard_streams(void)
{
	for (int fd = 0; fd < 3; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			(void)!open("/dev/null", fd ? O_RDONLY : O_WRONLY);
}

int main(int argc, char **argv)
{
	hold_standard_streams();
	umask(077);
	os_large_apart();
	if (!os_want_stack()) {
		fputs("tidbit: the stack's limit is below 1 MiB: raise it (ulimit -s 8192)\n", stderr);
		return 1;
	}
	setlocale(LC_ALL, "");
	/* numbers are read and written with a point, whatever the language */
	setlocale(LC_NUMERIC, "C");
	return cmd_main(argc, argv, ui_chat);
}
