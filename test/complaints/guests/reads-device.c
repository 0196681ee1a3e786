/*
 * Complaint 6: a driver reads registers that nobody mapped, after it was told that they are not to be had.
 */
#include "complaint.h"

static NOINLINE unsigned read_register(volatile unsigned *base, unsigned at) { return base[at / 4]; }

static void run(void)
{
	UPDATE_VA(0xfe000000UL, frame(0xfe000) | P | RW | PCD, UVMF_INVLPG);
	kept = read_register((void *)0xfe000000UL, 0x1c);
}
