// Which instructions of a disassembly are sensitive, asked of names only: independent of the analyser and of the x86 table.

const ALONE =
  /^(cli|sti|hlt|pushf[qlw]?|popf[qlw]?|clts|lmsw|smsw|lgdt[lwd]?|lidt[lwd]?|lldt|ltr|sgdt[lwd]?|sidt[lwd]?|sldt|str|lar|lsl|verr|verw|arpl|swapgs|sysret[lq]?|syscall|sysenter|sysexit[lq]?|iret[qlw]?|l?ret[fq]?far|lret[qlw]?|ljmp[qlw]?|lcall[qlw]?|rdmsr|wrmsr|rdtscp?|rdpmc|cpuid|in[bwl]?|out[bwl]?|ins[bwl]?|outs[bwl]?|int|invlpg|invpcid|wbinvd|invd|monitor|mwait|xsetbv|xsaves(64)?|xrstors(64)?|stac|clac|rdpkru|wrpkru|[rw][dr][fg]sbase|vm(call|launch|resume|xoff|xon|ptrld|ptrst|clear|read|write|mcall|run|load|save|func)|stgi|clgi|skinit|invlpga|invept|invvpid|rsm|getsec|l[fgs]s|l[de]s)$/;
const SPECIAL_REGISTER = /%(cr\d|db\d|dr\d)\b/;
const SEGMENT = /(^|,)%[c-gs]s(,|$)/;

/** `operands`: as objdump prints them in AT&T syntax, without its comment. */
export const isSensitive = (mnemonic: string, operands: string): boolean =>
  ALONE.test(mnemonic) ||
  (/^mov/.test(mnemonic) && (SPECIAL_REGISTER.test(operands) || SEGMENT.test(operands))) ||
  (/^(push|pop)/.test(mnemonic) && SEGMENT.test(operands));

/** Names that a source may use for what objdump prints as the key. Values are the bodies of regular expressions. */
const SPELLINGS: readonly (readonly [RegExp, string])[] = [
  [/^in[bwl]?$/, 'in[bwl]?'],
  [/^out[bwl]?$/, 'out[bwl]?'],
  [/^ins[bwl]?$/, '(?:rep\\s*)?ins[bwld]?'],
  [/^outs[bwl]?$/, 'outs[bwld]?'],
  [/^pushf/, 'pushf[qlwd]?'],
  [/^popf/, 'popf[qlwd]?'],
  [/^iret/, 'iret[qlwd]?|INTERRUPT_RETURN'],
  [/^l?ret/, 'l?ret[fqlw]?q?'],
  [/^ljmp/, 'ljmp[qlw]?|jmp'],
  [/^lcall/, 'lcall[qlw]?|call'],
  [/^lgdt/, 'lgdt[lwqd]?'],
  [/^lidt/, 'lidt[lwqd]?'],
  [/^sgdt/, 'sgdt[lwqd]?'],
  [/^sidt/, 'sidt[lwqd]?'],
  [/^sysret/, 'sysret[lq]?'],
  [/^sysexit/, 'sysexit[lq]?'],
  [/^push/, 'push[qlwd]?'],
  [/^pop/, 'pop[qlwd]?'],
  [/^mov/, 'mov[a-z]*'],
];

/** The expression that finds the instruction in a source line; null group where nothing is special about its name. */
export function spelling(mnemonic: string): RegExp {
  const body = SPELLINGS.find(([name]) => name.test(mnemonic))?.[1] ?? `${mnemonic}[bwlq]?`;
  return new RegExp(`(?<![\\w$])(?:${body})(?!\\w)`, 'i');
}

/** The mnemonic of an instruction as the analyser shows it, without its prefixes. */
export const mnemonicOf = (instruction: string): string =>
  instruction.replace(/^(?:(?:rep\w*|lock|data\w*|addr\w*|rex\S*|cs|ds|es|fs|gs|ss|o32|a32|o16|a16)\s+)+/i, '').split(/[\s;(]/)[0]!;

/** The name without the differences that spellings make: what a finding and an instruction are compared by. */
export function stem(mnemonic: string): string {
  const name = mnemonic.toLowerCase();
  const joined: readonly (readonly [RegExp, string])[] = [
    [/^mov/, 'mov'],
    [/^(l?ret|l?jmp|l?call)/, 'far'],
    [
      /^(in|out|ins|outs|pushf|popf|iret|push|pop|lgdt|lidt|sgdt|sidt|sysret|sysexit|xsaves|xrstors|lmsw|smsw|ltr|lldt|sldt|str|lss|lds|les|lfs|lgs|lar|lsl|verr|verw)(?:[bwlqd]|64)?$/,
      '$1',
    ],
  ];
  for (const [pattern, to] of joined) if (pattern.test(name)) return name.replace(pattern, to).replace(/^(mov|far).*$/, '$1');
  return name;
}
