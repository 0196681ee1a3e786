/*
 * Complaint 10: the back end closes; the front end does not know its part of the dance and sleeps.
 */
#include "complaint.h"

static void run(void)
{
	reset_traps();
	for (;;)
		block();
}
