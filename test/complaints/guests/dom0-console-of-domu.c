/*
 * A kernel that was a domU runs as dom0 and looks for its console's ring where a domU has it.
 */
#include "complaint.h"

static void run(void)
{
	kept = start_info->nr_pages;
	kept = start_info->console.dom0.info_off;
	kept = start_info->console.domU.mfn;
}
