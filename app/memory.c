#include "config.h"
#include "app/memory.h"
#include "engine/base/os.h"

void memory_read(struct memory *m, const struct eng_mem *engine)
{
	const uint64_t in_heap = engine->weights_made + engine->kv_used + engine->scratch;
	const size_t heap = os_heap(), image = os_image();

	*m = (struct memory){ .weights = engine->weights_resident + engine->weights_made, .kv = engine->kv_used,
			      .scratch = engine->scratch, .rss = os_rss(), .available = os_mem_available() };
	m->counted = heap != SIZE_MAX && image != SIZE_MAX;
	if (m->counted)
		m->other = (heap > in_heap ? heap - in_heap : 0) + image;
	else if (m->rss > memory_sum(m))
		m->other = m->rss - memory_sum(m);
}
