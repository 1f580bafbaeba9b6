#include "config.h"
#include "ui/ui.h"

int ui_chat(struct opts *o)
{
	(void)o;
	return 1;
}
