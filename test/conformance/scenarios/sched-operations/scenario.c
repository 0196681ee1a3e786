/*
 * sched_op and its old form.
 *
 * Read: -ENOSYS for operations that do not exist, -EINVAL or -ENOENT for the watchdog's ids, -EFAULT for structures.
 */
#include "guest.h"

SCENARIO("sched-operations")
{
	struct sched_watchdog watchdog = { .id = 0, .timeout = 0 };
	struct sched_remote_shutdown remote = { .domain_id = 77, .reason = 0 };
	struct sched_shutdown code = { .reason = SHUTDOWN_poweroff };
	struct sched_pin_override pin = { .pcpu = -1 };

	answer("yield", CALL(sched_op, SCHEDOP_yield));
	answer("operation 8", CALL(sched_op, 8, 0));
	answer("operation 55", CALL(sched_op, 55, 0));
	answer("operation -1", CALL(sched_op, -1, 0));
	answer("shutdown, unmapped", CALL(sched_op, SCHEDOP_shutdown, UNMAPPED));
	answer("shutdown_code, unmapped", CALL(sched_op, SCHEDOP_shutdown_code, UNMAPPED));
	answer("shutdown_code", CALL(sched_op, SCHEDOP_shutdown_code, &code));
	answer("remote_shutdown of a domain that does not exist", CALL(sched_op, SCHEDOP_remote_shutdown, &remote));
	answer("remote_shutdown, unmapped", CALL(sched_op, SCHEDOP_remote_shutdown, UNMAPPED));
	watchdog.timeout = 3600;
	answer("watchdog, an hour", CALL(sched_op, SCHEDOP_watchdog, &watchdog));
	answer("watchdog, another", CALL(sched_op, SCHEDOP_watchdog, &watchdog));
	answer("watchdog, a third", CALL(sched_op, SCHEDOP_watchdog, &watchdog));
	watchdog.id = 1;
	answer("watchdog 1 again", CALL(sched_op, SCHEDOP_watchdog, &watchdog));
	watchdog.timeout = 0;
	answer("watchdog 1 off", CALL(sched_op, SCHEDOP_watchdog, &watchdog));
	answer("watchdog 1 off again", CALL(sched_op, SCHEDOP_watchdog, &watchdog));
	watchdog.id = 2;
	answer("watchdog 2 off", CALL(sched_op, SCHEDOP_watchdog, &watchdog));
	watchdog.id = 3;
	answer("watchdog 3 off", CALL(sched_op, SCHEDOP_watchdog, &watchdog));
	answer("watchdog, unmapped", CALL(sched_op, SCHEDOP_watchdog, UNMAPPED));
	answer("pin_override off", CALL(sched_op, SCHEDOP_pin_override, &pin));
	answer("pin_override, unmapped", CALL(sched_op, SCHEDOP_pin_override, UNMAPPED));
	answer("old form: yield", CALL(sched_op_compat, SCHEDOP_yield, 0));
	answer("old form: operation 3", CALL(sched_op_compat, 3, 0));
	answer("old form: operation 99", CALL(sched_op_compat, 99, 0));
}
