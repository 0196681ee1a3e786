/*
 * vcpu_op.
 *
 * Read: -ENOENT for vcpus that do not exist, -EINVAL or -EEXIST for what was done before; runstate is `running` (0) for the caller.
 */
#include "guest.h"

static struct vcpu_register_vcpu_info info;
static struct vcpu_register_runstate_memory_area runstate_area;
static struct vcpu_register_time_memory_area time_area;
static struct vcpu_runstate_info runstate;
static struct vcpu_time_info time;
static struct vcpu_set_periodic_timer periodic;
static struct vcpu_set_singleshot_timer single;
static vcpu_guest_context_t context;
static struct vcpu_get_physid physid;

SCENARIO("vcpu-operations")
{
	answer("is_up 0", CALL(vcpu_op, VCPUOP_is_up, 0, 0));
	answer("is_up 1", CALL(vcpu_op, VCPUOP_is_up, 1, 0));
	answer("is_up -1", CALL(vcpu_op, VCPUOP_is_up, -1, 0));
	answer("up 0, which is up", CALL(vcpu_op, VCPUOP_up, 0, 0));
	answer("up 1", CALL(vcpu_op, VCPUOP_up, 1, 0));
	answer("initialise 0", CALL(vcpu_op, VCPUOP_initialise, 0, &context));
	answer("initialise 1", CALL(vcpu_op, VCPUOP_initialise, 1, &context));
	answer("initialise 0, unmapped", CALL(vcpu_op, VCPUOP_initialise, 0, UNMAPPED));
	answer("down 1", CALL(vcpu_op, VCPUOP_down, 1, 0));
	answer("get_runstate_info", CALL(vcpu_op, VCPUOP_get_runstate_info, 0, &runstate));
	value("  state", runstate.state);
	answer("get_runstate_info, unmapped", CALL(vcpu_op, VCPUOP_get_runstate_info, 0, UNMAPPED));
	runstate_area.addr.v = &runstate;
	answer("register_runstate_memory_area", CALL(vcpu_op, VCPUOP_register_runstate_memory_area, 0, &runstate_area));
	answer("register_runstate_memory_area again", CALL(vcpu_op, VCPUOP_register_runstate_memory_area, 0, &runstate_area));
	answer("register_runstate_memory_area, structure unmapped", CALL(vcpu_op, VCPUOP_register_runstate_memory_area, 0, UNMAPPED));
	runstate_area.addr.v = (void *)UNMAPPED;
	answer("register_runstate_memory_area, area unmapped", CALL(vcpu_op, VCPUOP_register_runstate_memory_area, 0, &runstate_area));
	runstate_area.addr.v = (void *)XEN_ADDRESS;
	answer("register_runstate_memory_area, area in Xen", CALL(vcpu_op, VCPUOP_register_runstate_memory_area, 0, &runstate_area));
	runstate_area.addr.v = 0;
	answer("register_runstate_memory_area, null", CALL(vcpu_op, VCPUOP_register_runstate_memory_area, 0, &runstate_area));
	time_area.addr.v = &time;
	answer("register_vcpu_time_memory_area", CALL(vcpu_op, VCPUOP_register_vcpu_time_memory_area, 0, &time_area));
	value("  version is even and not 0", time.version != 0 && !(time.version & 1));
	time_area.addr.v = (void *)UNMAPPED;
	answer("register_vcpu_time_memory_area, area unmapped", CALL(vcpu_op, VCPUOP_register_vcpu_time_memory_area, 0, &time_area));
	time_area.addr.v = (void *)XEN_ADDRESS;
	answer("register_vcpu_time_memory_area, area in Xen", CALL(vcpu_op, VCPUOP_register_vcpu_time_memory_area, 0, &time_area));
	answer("register_vcpu_time_memory_area, structure unmapped", CALL(vcpu_op, VCPUOP_register_vcpu_time_memory_area, 0, UNMAPPED));
	time_area.addr.v = 0;
	answer("register_vcpu_time_memory_area, null", CALL(vcpu_op, VCPUOP_register_vcpu_time_memory_area, 0, &time_area));

	periodic.period_ns = 999999;
	answer("set_periodic_timer of less than 1 ms", CALL(vcpu_op, VCPUOP_set_periodic_timer, 0, &periodic));
	periodic.period_ns = 1000000000000000000UL;
	answer("set_periodic_timer of too long", CALL(vcpu_op, VCPUOP_set_periodic_timer, 0, &periodic));
	periodic.period_ns = 3600000000000UL;
	answer("set_periodic_timer of an hour", CALL(vcpu_op, VCPUOP_set_periodic_timer, 0, &periodic));
	answer("set_periodic_timer, unmapped", CALL(vcpu_op, VCPUOP_set_periodic_timer, 0, UNMAPPED));
	answer("stop_periodic_timer", CALL(vcpu_op, VCPUOP_stop_periodic_timer, 0, 0));
	answer("stop_periodic_timer again", CALL(vcpu_op, VCPUOP_stop_periodic_timer, 0, 0));
	answer("stop_periodic_timer 1", CALL(vcpu_op, VCPUOP_stop_periodic_timer, 1, 0));
	single.timeout_abs_ns = 1000;
	single.flags = VCPU_SSHOTTMR_future;
	answer("set_singleshot_timer in the past, future asked for", CALL(vcpu_op, VCPUOP_set_singleshot_timer, 0, &single));
	single.flags = 0;
	answer("set_singleshot_timer in the past", CALL(vcpu_op, VCPUOP_set_singleshot_timer, 0, &single));
	single.timeout_abs_ns = 1ULL << 60;
	answer("set_singleshot_timer far away", CALL(vcpu_op, VCPUOP_set_singleshot_timer, 0, &single));
	single.flags = 0xff;
	answer("set_singleshot_timer, flags 0xff", CALL(vcpu_op, VCPUOP_set_singleshot_timer, 0, &single));
	single.flags = 0;
	single.timeout_abs_ns = -1UL;
	answer("set_singleshot_timer at -1", CALL(vcpu_op, VCPUOP_set_singleshot_timer, 0, &single));
	answer("set_singleshot_timer, unmapped", CALL(vcpu_op, VCPUOP_set_singleshot_timer, 0, UNMAPPED));
	answer("set_singleshot_timer 1", CALL(vcpu_op, VCPUOP_set_singleshot_timer, 1, &single));
	answer("stop_singleshot_timer", CALL(vcpu_op, VCPUOP_stop_singleshot_timer, 0, 0));
	answer("stop_singleshot_timer again", CALL(vcpu_op, VCPUOP_stop_singleshot_timer, 0, 0));
	answer("send_nmi 0 (without a callback)", CALL(vcpu_op, VCPUOP_send_nmi, 0, 0));
	answer("send_nmi 1", CALL(vcpu_op, VCPUOP_send_nmi, 1, 0));
	answer("get_physid", CALL(vcpu_op, VCPUOP_get_physid, 0, &physid));
	info.mfn = 0xfffff;
	answer("register_vcpu_info, frame beyond memory", CALL(vcpu_op, VCPUOP_register_vcpu_info, 0, &info));
	info.mfn = mfn_of(&info);
	info.offset = 4064;
	answer("register_vcpu_info over the end of a page", CALL(vcpu_op, VCPUOP_register_vcpu_info, 0, &info));
	info.offset = 4;
	answer("register_vcpu_info, offset not aligned", CALL(vcpu_op, VCPUOP_register_vcpu_info, 0, &info));
	info.mfn = root_mfn();
	info.offset = 0;
	answer("register_vcpu_info in a page table", CALL(vcpu_op, VCPUOP_register_vcpu_info, 0, &info));
	answer("register_vcpu_info, unmapped", CALL(vcpu_op, VCPUOP_register_vcpu_info, 0, UNMAPPED));
	answer("operation 13", CALL(vcpu_op, 13, 0, 0));
	answer("operation 99", CALL(vcpu_op, 99, 0, 0));
	answer("operation 99 of vcpu 1", CALL(vcpu_op, 99, 1, 0));
}
