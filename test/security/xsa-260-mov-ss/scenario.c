/*
 * A data breakpoint on the operand of mov ss, followed by an instruction that enters Xen: the exception, held back by the move, would come in Xen itself.
 *
 * Advisory: XSA-260
 * Expected: Xen goes on; the guest sees its own exception or none.
 */
#include "../security.h"

static volatile word operand = FLAT_DATA;

SCENARIO("xsa-260-mov-ss")
{
	long set = CALL(set_debugreg, 0, (word)&operand);

	answer("watch the operand", set);
	answer("reads and writes, two bytes", CALL(set_debugreg, 7, 0x70702));
	TRY_WITH("mov ss, then int3", "movw (%%" R "ax), %%ss\n\tint3", (word)&operand, 0, 0);
	TRY_WITH("mov ss, then int 0x80", "movw (%%" R "ax), %%ss\n\tint $0x80", (word)&operand, 0, 0);
	answer("breakpoints off", CALL(set_debugreg, 7, 0x400));
	answer("Xen is still there", CALL(xen_version, XENVER_version, 0) >> 16 == 4 ? 0 : -1);
	denied(CALL(xen_version, XENVER_version, 0) > 0);
}
