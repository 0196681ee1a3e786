// Instruction families without any counterpart for a PV guest: virtualization, enclaves, SEV-SNP, supervisor shadow stacks, FRED, user
// interrupts. Xen's PV emulator knows none of them, so all fault.

import type { InstructionRow, Privilege } from '../types.ts';

const row = (
  rule: string,
  feature: string,
  mnemonic: string,
  enc: string,
  mode?: '64' | '32',
  privilege: Privilege = 'cpl0',
): InstructionRow => ({
  key: mnemonic,
  mnemonic,
  enc: [enc],
  ...(mode ? { mode } : {}),
  ends: true,
  privilege,
  feature,
  xen: { effect: 'fault', rule },
});
const virtual = (feature: 'vmx' | 'svm' | 'tdx', mnemonic: string, enc: string) => row('virtualization', feature, mnemonic, enc);
const none = (feature: string, mnemonic: string, enc: string, mode?: '64' | '32', privilege?: Privilege) =>
  row('no-pv-equivalent', feature, mnemonic, enc, mode, privilege);

export const UNPORTABLE_ROWS: readonly InstructionRow[] = [
  virtual('vmx', 'vmcall', 'np 0f 01 c1'),
  virtual('vmx', 'vmlaunch', 'np 0f 01 c2'),
  virtual('vmx', 'vmresume', 'np 0f 01 c3'),
  virtual('vmx', 'vmxoff', 'np 0f 01 c4'),
  virtual('vmx', 'vmfunc', 'np 0f 01 d4'),
  virtual('vmx', 'vmptrld', 'np 0f c7 /6 Mq'),
  virtual('vmx', 'vmptrst', 'np 0f c7 /7 Mq'),
  virtual('vmx', 'vmclear', '66 0f c7 /6 Mq'),
  virtual('vmx', 'vmxon', 'f3 0f c7 /6 Mq'),
  virtual('vmx', 'vmread', 'np 0f 78 /r En,Gn'),
  virtual('vmx', 'vmwrite', 'np 0f 79 /r Gn,En'),
  virtual('vmx', 'invept', '66 0f 38 80 /r Gn,Mx'),
  virtual('vmx', 'invvpid', '66 0f 38 81 /r Gn,Mx'),
  virtual('tdx', 'tdcall', '66 0f 01 cc'),
  row('virtualization', 'tdx', 'seamret', '66 0f 01 cd', '64'),
  row('virtualization', 'tdx', 'seamops', '66 0f 01 ce', '64'),
  row('virtualization', 'tdx', 'seamcall', '66 0f 01 cf', '64'),
  virtual('svm', 'vmrun', '0f 01 d8'),
  virtual('svm', 'vmmcall', '0f 01 d9'),
  virtual('svm', 'vmload', '0f 01 da'),
  virtual('svm', 'vmsave', '0f 01 db'),
  virtual('svm', 'stgi', '0f 01 dc'),
  virtual('svm', 'clgi', '0f 01 dd'),
  virtual('svm', 'skinit', '0f 01 de'),
  virtual('svm', 'invlpga', '0f 01 df'),

  none('smm', 'rsm', '0f aa'),
  { ...none('smx', 'getsec', 'np 0f 37'), aliases: ['getsecq'] },
  none('sgx', 'encls', 'np 0f 01 cf'),
  none('sgx', 'enclv', 'np 0f 01 c0'),
  none('pconfig', 'pconfig', 'np 0f 01 c5'),
  none('hreset', 'hreset', 'f3 0f 3a f0 c0 Ib'),
  none('enqcmd', 'enqcmds', 'f3 0f 38 f8 /r Ga,M'),
  none('invlpgb', 'invlpgb', 'np 0f 01 fe'),
  none('invlpgb', 'tlbsync', 'np 0f 01 ff'),
  { ...none('sev-es', 'vmgexit', 'f3 0f 01 d9'), enc: ['f3 0f 01 d9', 'f2 0f 01 d9'] },
  none('sev-snp', 'psmash', 'f3 0f 01 ff', '64'),
  none('sev-snp', 'pvalidate', 'f2 0f 01 ff'),
  none('sev-snp', 'rmpadjust', 'f3 0f 01 fe', '64'),
  none('sev-snp', 'rmpupdate', 'f2 0f 01 fe', '64'),
  none('sev-snp', 'rmpquery', 'f3 0f 01 fd', '64'),
  none('tse', 'pbndkb', 'np 0f 01 c7', '64'),

  { ...none('cet-ss', 'wruss', '66 0f 38 f5 /r My,Gy'), aliases: ['wrussd', 'wrussq'] },
  { ...none('cet-ss', 'wrss', 'np 0f 38 f6 /r My,Gy', undefined, 'conditional'), aliases: ['wrssd', 'wrssq'] },
  none('cet-ss', 'setssbsy', 'f3 0f 01 e8'),
  none('cet-ss', 'clrssbsy', 'f3 0f ae /6 Mq'),

  none('uintr', 'uiret', 'f3 0f 01 ec', '64', 'conditional'),
  none('uintr', 'testui', 'f3 0f 01 ed', '64', 'conditional'),
  none('uintr', 'clui', 'f3 0f 01 ee', '64', 'conditional'),
  none('uintr', 'stui', 'f3 0f 01 ef', '64', 'conditional'),
  none('uintr', 'senduipi', 'f3 0f c7 /6 Rq', '64', 'conditional'),

  none('msr-new', 'wrmsrns', 'np 0f 01 c6'),
  none('msr-new', 'rdmsrlist', 'f2 0f 01 c6', '64'),
  none('msr-new', 'wrmsrlist', 'f3 0f 01 c6', '64'),
  none('fred', 'erets', 'f2 0f 01 ca', '64'),
  none('fred', 'eretu', 'f3 0f 01 ca', '64'),
  none('fred', 'lkgs', 'f2 0f 00 /6 Ew', '64'),
];
