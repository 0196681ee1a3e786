// Resident memory of the product itself: `hyperport run` with a guest of 64 MB, the teaching kernel up to its prompt.

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { memoryOf } from './memory-use.ts';

const GUEST = 'samples/tinykernel/prebuilt/tinykernel-xen.elf';

export async function productMemory(root: string): Promise<{ peakMb: number }> {
  const args = [join(root, 'bin/hyperport'), 'run', join(root, GUEST), '--memory', '64'];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let errors = '';
  child.stderr.on('data', (data) => {
    errors += data;
  });
  let peakMb = 0;
  const look = (): void => {
    try {
      peakMb = Math.max(peakMb, memoryOf(child.pid!).peakMb || 0);
    } catch {
      // It has just ended.
    }
  };
  const timer = setInterval(look, 5);
  const code = await new Promise<number | null>((done) => child.on('close', done));
  clearInterval(timer);
  if (code !== 0) throw new Error(`hyperport run ended with ${code}: ${errors.trim()}`);
  return { peakMb };
}
