/* The program's side of the engine: version, libraries, threads, instruction set. */
#include "config.h"
#include "engine/engine.h"

const char *eng_version(void)
{
	return PACKAGE_VERSION;
}
