/*
 * console_io: what dom0 may and a domU may not (in a release build of Xen).
 *
 * Read: -EPERM for a domU whatever the operation.
 */
#include "guest.h"

SCENARIO("console-io")
{
	char buffer[16];

	answer("write of nothing", CALL(console_io, CONSOLEIO_write, 0, buffer));
	answer("write, unmapped", CALL(console_io, CONSOLEIO_write, 5, UNMAPPED));
	answer("read with nothing typed", CALL(console_io, CONSOLEIO_read, 16, buffer));
	answer("read of nothing", CALL(console_io, CONSOLEIO_read, 0, buffer));
	answer("operation 2", CALL(console_io, 2, 5, buffer));
	answer("operation -1", CALL(console_io, -1, 5, buffer));
}
