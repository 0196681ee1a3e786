/*
 * Segment bases that are not canonical, by hypercall and by an emulated wrmsr.
 *
 * Advisory: XSA-193
 * Bits: 64
 * Expected: -EINVAL and #GP.
 */
#include "../security.h"

SCENARIO("xsa-193-segment-base")
{
	long fs = CALL(set_segment_base, SEGBASE_FS, NOT_CANONICAL);

	answer("fs", fs);
	answer("gs of the kernel", CALL(set_segment_base, SEGBASE_GS_KERNEL, NOT_CANONICAL));
	answer("gs of user mode", CALL(set_segment_base, SEGBASE_GS_USER, NOT_CANONICAL));
	TRY_WITH("wrmsr of FS_BASE", "wrmsr", 0, 0xc0000100, 0x80000000);
	TRY_WITH("wrmsr of GS_BASE", "wrmsr", 0, 0xc0000101, 0x80000000);
	TRY_WITH("wrmsr of KERNEL_GS_BASE", "wrmsr", 0, 0xc0000102, 0x80000000);
	denied(fs != 0 && last_trap.vector == 13);
}
