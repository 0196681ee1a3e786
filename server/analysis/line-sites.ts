// Sites of an assembly source that no grammar reads: each line that is a sensitive instruction, also in bodies of macros and %defines.

import { nasmInstruction, plan9Instruction } from '../syntax/linewise.ts';
import { hasEmulationPrefix, sensitivity } from './sensitive.ts';
import { MOST_SITES, type Site, tooMany } from './site.ts';

export function lineSites(text: string, dialect: 'nasm' | 'plan9'): Site[] {
  const sites: Site[] = [];
  let codeBits: 64 | 32 | 16 | 0 = 0;
  let comment = false;
  for (let at = 0; at < text.length; ) {
    const newline = text.indexOf('\n', at);
    const end = newline === -1 ? text.length : newline;
    const line = text.slice(at, Math.min(end, at + LONGEST));
    const bits = dialect === 'nasm' ? /^[ \t]*\[?[ \t]*(?:bits[ \t]+|use)(16|32|64)\b/i.exec(line) : null;
    if (bits) codeBits = Number(bits[1]) as 16 | 32 | 64;
    else if (comment) comment = !line.includes('*/');
    else if (dialect === 'plan9' && /^[ \t]*\/\*(?!.*\*\/)/.test(line)) comment = true;
    else {
      const define = dialect === 'nasm' ? /^[ \t]*%x?i?define[ \t]+[\w.$?]+(?:\([^)]*\))?[ \t]+/i.exec(line) : null;
      // The line of a macro's head, a condition and the like is the preprocessor's own.
      if (define || !/^[ \t]*[%#]/.test(line)) {
        const from = define?.[0].length ?? 0;
        const body = line.slice(from);
        const instruction = dialect === 'nasm' ? nasmInstruction(body, at + from) : plan9Instruction(body, at + from);
        const sensitive = instruction && sensitivity(instruction);
        if (instruction && sensitive && !(instruction.mnemonic === 'cpuid' && hasEmulationPrefix(text.slice(Math.max(0, at - 80), at)))) {
          if (sites.length >= MOST_SITES) return [...sites, tooMany(instruction.start)];
          sites.push({
            start: instruction.start,
            end: instruction.end,
            hits: [{ instruction, sensitive }],
            idioms: [],
            codeBits,
            warnings: [],
          });
        }
      }
    }
    at = end + 1;
  }
  return sites;
}

const LONGEST = 2000;
