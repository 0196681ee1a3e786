/*
 * Hypercall numbers that Xen does not have, and calls that are not for such a guest.
 *
 * Read: -ENOSYS for a number without a call; calls of the toolstack look at their structure first, or at who calls.
 */
#include "guest.h"

SCENARIO("unknown-calls")
{
	char name[] = "number 00";
	static word zero[64];

	for (unsigned number = 0; number < 64; number++) {
		/* The calls that other scenarios make, and those that a dom0 would break the machine with. */
		if (number < 7 || (number > 7 && number < 11) || (number > 11 && number < 27) || (number >= 28 && number <= 30) ||
		    number == 32 || number == 33 || number == 37)
			continue;
		name[7] = '0' + number / 10;
		name[8] = '0' + number % 10;
		answer(name, CALL_NUMBER(number, UNMAPPED, UNMAPPED, UNMAPPED, UNMAPPED, UNMAPPED));
	}
	answer("number 127", CALL_NUMBER(127, zero));
	answer("xenpmu_op 0", CALL(xenpmu_op, 0, zero));
	answer("xenoprof_op 0", CALL(xenoprof_op, 0, zero));
	memset(zero, 0, sizeof zero);
	answer("hvm_op 0", CALL(hvm_op, 0, zero));
	answer("set_parameter of hvm_op", CALL(hvm_op, 0, zero));
	answer("argo_op 99", CALL(argo_op, 99, zero, zero, 0, 0));
	answer("hypfs_op 99", CALL(hypfs_op, 99, 0, 0, 0, 0));
	answer("kexec_op 99", CALL(kexec_op, 99, zero));
	answer("tmem_op", CALL(tmem_op, zero));
	answer("xsm_op", CALL(xsm_op, zero));
	answer("dm_op of no domain", CALL(dm_op, 77, 0, zero));
	answer("domctl, wrong interface version", CALL(domctl, zero));
	answer("sysctl, wrong interface version", CALL(sysctl, zero));
	answer("platform_op, wrong interface version", CALL(platform_op, zero));
	answer("mca, wrong interface version", CALL_NUMBER(48, zero));
}
