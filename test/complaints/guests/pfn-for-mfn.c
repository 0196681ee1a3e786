/*
 * Complaint 3: a pseudo-physical number stands in an entry where the machine frame number belongs.
 */
#include "complaint.h"

static void run(void)
{
	void *page = fresh_page();

	map_page(page, frame(pfn_of(fresh_page())) | P | RW);
}
