#include "config.h"
#include "engine/engine.h"

#include <stdio.h>

int main(void)
{
	printf("tidbit %s\n", eng_version());
	return 0;
}
