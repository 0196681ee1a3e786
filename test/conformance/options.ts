// The options of `npm run conformance`.
import { parseArgs } from 'node:util';

export const usage = `npm run conformance -- [option]
  (none)                      every scenario on real Xen and on the simulator, compared
  --record                    the same, and keeps what real Xen printed
  --offline                   compares with what was kept; starts no Xen
  --coverage                  also prints each row of the hypercall tables with its outcomes and scenarios
  --page                      also writes docs/hypercalls.md
  --messages                  keeps what a debug build of Xen logs meanwhile (test/explain/xen-lines)
  --build-pv32, --build-debug builds Xen from Debian's source: for 32-bit guests; with reasons on its console
  --new FAMILY-TOPIC          makes the folder of a new scenario, to be filled in
  --run ELF [--as dom0|domU] [--xen debian|pv32|debug] [--mem MB] [--cmdline TEXT]
                              runs one PV guest on real Xen; prints its console, and Xen's own lines behind (XEN)`;

export class UsageError extends Error {}

export type Options = ReturnType<typeof parse>;

/** @throws {UsageError} with the usage */
export function parse(argv: string[]) {
  const flag = { type: 'boolean' } as const;
  const word = { type: 'string' } as const;
  try {
    return parseArgs({
      args: argv,
      options: {
        ...{ record: flag, offline: flag, coverage: flag, page: flag, messages: flag, 'build-pv32': flag, 'build-debug': flag },
        ...{ new: word, run: word, as: word, xen: word, mem: word, cmdline: word },
      },
    }).values;
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\n${usage}`);
  }
}
