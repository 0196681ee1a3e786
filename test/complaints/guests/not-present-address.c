/*
 * Complaint 5: a page is taken out of use by clearing the present bit alone; its address and its caching bits stay in the entry.
 */
#include "complaint.h"

static void run(void) { map_page(fresh_page(), 0x8010000013600066ULL); }
