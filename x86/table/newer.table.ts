// Unprivileged instructions of later processors outside SSE. All depend on a feature; without it they are #UD or an older instruction.

import type { InstructionRow } from '../types.ts';

const row = (feature: string, mnemonic: string, enc: readonly string[], more: Partial<InstructionRow> = {}): InstructionRow => ({
  key: mnemonic,
  mnemonic,
  enc,
  feature,
  ...more,
});

export const NEWER_ROWS: readonly InstructionRow[] = [
  row('rdrand', 'rdrand', ['nf 0f c7 /6 Rv'], { writes: 'oszapc' }),
  row('rdseed', 'rdseed', ['nf 0f c7 /7 Rv'], { writes: 'oszapc' }),
  row('rdpid', 'rdpid', ['f3 0f c7 /7 Rn']),
  row('adx', 'adcx', ['66 0f 38 f6 /r Gy,Ey'], { reads: 'c', writes: 'c' }),
  row('adx', 'adox', ['f3 0f 38 f6 /r Gy,Ey'], { reads: 'o', writes: 'o' }),
  row('clflushopt', 'clflushopt', ['66 0f ae /7 Mb']),
  row('clwb', 'clwb', ['66 0f ae /6 Mb']),
  row('clzero', 'clzero', ['0f 01 fc']),
  row('cldemote', 'cldemote', ['np 0f 1c /0 Mb']),
  row('serialize', 'serialize', ['np 0f 01 e8'], { ends: true }),
  row('movdiri', 'movdiri', ['np 0f 38 f9 /r My,Gy']),
  row('movdir64b', 'movdir64b', ['66 0f 38 f8 /r Ga,M']),
  row('enqcmd', 'enqcmd', ['f2 0f 38 f8 /r Ga,M'], { writes: 'oszapc' }),
  row('waitpkg', 'umonitor', ['f3 0f ae /6 Ra']),
  row('waitpkg', 'umwait', ['f2 0f ae /6 Ry'], { writes: 'oszapc' }),
  row('waitpkg', 'tpause', ['66 0f ae /6 Ry'], { writes: 'oszapc' }),
  row('monitorx', 'monitorx', ['np 0f 01 fa']),
  row('monitorx', 'mwaitx', ['np 0f 01 fb']),
  row('rdpru', 'rdpru', ['np 0f 01 fd']),
  row('mcommit', 'mcommit', ['f3 0f 01 fa'], { writes: 'oszapc' }),
  row('sgx', 'enclu', ['np 0f 01 d7'], { ends: true }),
  row('rtm', 'xbegin', ['c7 f8 Jz'], { ends: true }),
  row('rtm', 'xabort', ['c6 f8 Ib'], { ends: true }),
  row('rtm', 'xend', ['np 0f 01 d5']),
  row('rtm', 'xtest', ['np 0f 01 d6'], { writes: 'oszapc' }),
  row('tsxldtrk', 'xsusldtrk', ['f2 0f 01 e8']),
  row('tsxldtrk', 'xresldtrk', ['f2 0f 01 e9']),
  row('cet-ss', 'incssp', ['f3 0f ae /5 Ry'], { aliases: ['incsspd', 'incsspq'] }),
  row('cet-ss', 'rdssp', ['f3 0f 1e /1 Ry'], { aliases: ['rdsspd', 'rdsspq'] }),
  row('cet-ss', 'saveprevssp', ['f3 0f 01 ea']),
  row('cet-ss', 'rstorssp', ['f3 0f 01 /5 Mq'], { writes: 'oszapc' }),
];
