/*
 * VCPUOP_initialise of vCPUs that run, that do not exist, and with contexts that cannot be.
 *
 * Advisory: XSA-296
 * Expected: -EEXIST for the running one, -ENOENT for those that do not exist, -EFAULT for a context that cannot be read.
 */
#include "../security.h"

SCENARIO("xsa-296-initialise")
{
	static struct vcpu_guest_context context;
	long itself = CALL(vcpu_op, VCPUOP_initialise, 0, &context), other;

	answer("the running vCPU", itself);
	other = CALL(vcpu_op, VCPUOP_initialise, 1, &context);
	answer("one that does not exist", other);
	answer("one far away", CALL(vcpu_op, VCPUOP_initialise, 0x7fffffff, &context));
	answer("an unreadable context", CALL(vcpu_op, VCPUOP_initialise, 0, UNMAPPED));
	answer("a context of Xen's", CALL(vcpu_op, VCPUOP_initialise, 0, XEN_ADDRESS));
	denied(itself != 0 && other != 0);
}
