// The command line of `npm run conformance` that compares.
import { DebianError } from '../../scripts/debian.mjs';
import { record as recordMessages } from '../explain/xen-lines/lines.ts';
import { conformance } from './all.ts';
import { parse, UsageError } from './options.ts';

/** Answers the exit code: 1 when anything differs or cannot be had, 2 when the options are wrong. */
export async function command(argv: string[]): Promise<number> {
  const print = (line: string) => console.log(line);
  try {
    const options = parse(argv);
    if (options.messages) {
      await recordMessages(print);
      return 0;
    }
    const { passed, failed } = await conformance({
      record: options.record === true,
      offline: options.offline === true,
      coverage: options.coverage === true,
      page: options.page === true,
      print,
    });
    print(`${passed} passed, ${failed} failed`);
    return failed === 0 ? 0 : 1;
  } catch (error) {
    if (!(error instanceof UsageError || error instanceof DebianError)) throw error;
    console.error(`conformance: ${error.message}`);
    return error instanceof UsageError ? 2 : 1;
  }
}
