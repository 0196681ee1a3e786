/*
 * vm_assist: which types there are to switch on and off.
 *
 * A 32-bit guest has the 4gb types, pae_extended_cr3 and others; for a 64-bit one some of these are accepted without an effect.
 *
 * Read: -EINVAL for a type that there is not, whatever the command; -ENOSYS for a command.
 */
#include "guest.h"

static const struct operation types[] = { { "4gb_segments", 0 }, { "4gb_segments_notify", 1 }, { "writable_pagetables", 2 }, { "pae_extended_cr3", 3 },
	{ "architectural_iopl", 4 }, { "runstate_update_flag", 5 }, { "type 6", 6 }, { "type 31", 31 }, { "m2p_strict", 32 }, { "type 33", 33 } };

SCENARIO("assist-types")
{
	for (unsigned n = 0; n < sizeof types / sizeof types[0]; n++) {
		answer_of(&types[n], "enable", CALL(vm_assist, VMASST_CMD_enable, types[n].number));
		answer_of(&types[n], "disable", CALL(vm_assist, VMASST_CMD_disable, types[n].number));
	}
	answer("command 2", CALL(vm_assist, 2, VMASST_TYPE_writable_pagetables));
}
