/*
 * set_segment_base, fpu_taskswitch.
 *
 * Read: -EINVAL for a base that is not canonical and for an unknown register; a selector for the user's gs that cannot be loaded is replaced by 0.
 * Bits: 64
 */
#include "guest.h"

SCENARIO("register-segment-bases")
{
	static word there[2] = { 0x1111, 0x2222 };

	answer("fs", CALL(set_segment_base, SEGBASE_FS, there));
	TRY("read through fs", "movq %%fs:0, %%rax");
	value("  word", after_rax);
	answer("gs kernel", CALL(set_segment_base, SEGBASE_GS_KERNEL, there + 1));
	TRY("read through gs", "movq %%gs:0, %%rax");
	value("  word", after_rax);
	answer("gs user", CALL(set_segment_base, SEGBASE_GS_USER, there));
	TRY("read through gs is the kernel's", "movq %%gs:0, %%rax");
	value("  word", after_rax);
	TRY_WITH("rdmsr KERNEL_GS_BASE", "rdmsr", 0, 0xc0000102, 0);
	value("  is the user's", ((after_rax & 0xffffffff) | after_rdx << 32) == (word)there);
	answer("fs that is not canonical", CALL(set_segment_base, SEGBASE_FS, NOT_CANONICAL));
	answer("gs user that is not canonical", CALL(set_segment_base, SEGBASE_GS_USER, NOT_CANONICAL));
	answer("gs kernel that is not canonical", CALL(set_segment_base, SEGBASE_GS_KERNEL, NOT_CANONICAL));
	answer("fs in Xen's part", CALL(set_segment_base, SEGBASE_FS, XEN_ADDRESS));
	answer("gs user selector 0", CALL(set_segment_base, SEGBASE_GS_USER_SEL, 0));
	answer("gs user selector, flat data", CALL(set_segment_base, SEGBASE_GS_USER_SEL, 0xe02b));
	answer("gs user selector that does not exist", CALL(set_segment_base, SEGBASE_GS_USER_SEL, 0x1233));
	answer("gs user selector, high bits set", CALL(set_segment_base, SEGBASE_GS_USER_SEL, 0x10000000));
	answer("register 4", CALL(set_segment_base, 4, 0));
	answer("register -1", CALL(set_segment_base, -1, 0));
	TRY_WITH("fs loaded with null clears its base", "movw %%ax, %%fs; movl $0xc0000100, %%ecx; rdmsr", 0, 0, 0);
	TRY_WITH("gs loaded with null", "movw %%ax, %%gs; movl $0xc0000101, %%ecx; rdmsr", 0, 0, 0);
	answer("fpu_taskswitch 1", CALL(fpu_taskswitch, 1));
	TRY("fnop", "fnop");
	TRY("fnop again: Xen cleared TS", "fnop");
	answer("fpu_taskswitch 7", CALL(fpu_taskswitch, 7));
	TRY("pxor", ".byte 0x66, 0x0f, 0xef, 0xc0");
	answer("fpu_taskswitch 1", CALL(fpu_taskswitch, 1));
	TRY("fwait", "fwait");
	answer("fpu_taskswitch 1", CALL(fpu_taskswitch, 1));
	answer("fpu_taskswitch 0", CALL(fpu_taskswitch, 0));
	TRY("fnop", "fnop");
}
