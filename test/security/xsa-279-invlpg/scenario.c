/*
 * TLB flushes of addresses that are not canonical, which a processor with INVPCID refuses in Xen.
 *
 * Advisory: XSA-279
 * Bits: 64
 * Expected: the calls do nothing and answer 0.
 */
#include "../security.h"

SCENARIO("xsa-279-invlpg")
{
	long one = mmuext(MMUEXT_INVLPG_LOCAL, NOT_CANONICAL, 0), all;

	answer("INVLPG_LOCAL", one);
	all = mmuext(MMUEXT_INVLPG_ALL, NOT_CANONICAL, 0);
	answer("INVLPG_ALL", all);
	answer("of an address of Xen's", mmuext(MMUEXT_INVLPG_LOCAL, XEN_ADDRESS, 0));
	answer("update_va_mapping with a flush", UPDATE_VA(NOT_CANONICAL, 0, UVMF_INVLPG));
	denied(one == 0 && all == 0);
}
