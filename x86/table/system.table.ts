// Every instruction that a Xen PV guest kernel cannot keep as it is, with what Xen 4.17 does when it is executed in place.
// Classes: Intel SDM volume 3 (chapters 5.9 and 26.1.2), AMD APM volume 2; effects: Xen's PV emulation and tests on a real Xen.

import type { InstructionRow } from '../types.ts';

export const SYSTEM_ROWS: readonly InstructionRow[] = [
  // Interrupt flag
  { key: 'cli', mnemonic: 'cli', enc: ['fa'], writes: 'i', privilege: 'iopl', xen: { effect: 'silent', rule: 'cli', note: 'with a virtual IOPL that allows it Xen ignores it, else #GP; the event mask never changes' } },
  { key: 'sti', mnemonic: 'sti', enc: ['fb'], writes: 'i', ends: true, privilege: 'iopl', xen: { effect: 'silent', rule: 'sti', note: 'with a virtual IOPL that allows it Xen ignores it, else #GP; no pending event is delivered' } },
  { key: 'pushf', mnemonic: 'pushf', aliases: ['pushfd', 'pushfq'], enc: ['9c'], d64: true, reads: 'oszapcdi', privilege: 'sensitive', xen: { effect: 'silent', rule: 'pushf', note: 'pushes the processor\'s IF, always 1 in a guest' } },
  { key: 'popf', mnemonic: 'popf', aliases: ['popfd', 'popfq'], enc: ['9d'], d64: true, writes: 'oszapcdi', ends: true, privilege: 'sensitive', xen: { effect: 'silent', rule: 'popf', note: 'IF and IOPL keep their values without a fault' } },
  { key: 'hlt', mnemonic: 'hlt', enc: ['f4'], ends: true, privilege: 'cpl0', xen: { effect: 'fault', rule: 'hlt' } },

  // Control and debug registers: what Xen does depends on the register, see control-registers.table.ts
  { key: 'mov-from-cr', mnemonic: 'mov', enc: ['0f 20 /r Rn,Cn'], undefined: 'oszapc', privilege: 'cpl0', xen: { effect: 'emulated', rule: 'mov-cr0', note: 'by register' } },
  { key: 'mov-to-cr', mnemonic: 'mov', enc: ['0f 22 /r Cn,Rn'], undefined: 'oszapc', ends: true, privilege: 'cpl0', xen: { effect: 'emulated', rule: 'mov-cr0', note: 'by register' } },
  { key: 'mov-from-dr', mnemonic: 'mov', enc: ['0f 21 /r Rn,Dn'], undefined: 'oszapc', privilege: 'cpl0', xen: { effect: 'emulated', rule: 'mov-dr' } },
  { key: 'mov-to-dr', mnemonic: 'mov', enc: ['0f 23 /r Dn,Rn'], undefined: 'oszapc', ends: true, privilege: 'cpl0', xen: { effect: 'emulated', rule: 'mov-dr' } },
  { key: 'clts', mnemonic: 'clts', enc: ['0f 06'], privilege: 'cpl0', xen: { effect: 'emulated', rule: 'clts' } },
  { key: 'lmsw', mnemonic: 'lmsw', enc: ['0f 01 /6 Ew'], ends: true, privilege: 'cpl0', xen: { effect: 'fault', rule: 'lmsw' } },
  { key: 'smsw', mnemonic: 'smsw', enc: ['0f 01 /4 Rv/Mw'], privilege: 'sensitive', xen: { effect: 'silent', rule: 'smsw', note: 'shows the processor\'s CR0; Xen sets no UMIP for PV' } },

  // Descriptor tables
  { key: 'lgdt', mnemonic: 'lgdt', enc: ['0f 01 /2 Ms'], privilege: 'cpl0', xen: { effect: 'fault', rule: 'lgdt' } },
  { key: 'lidt', mnemonic: 'lidt', enc: ['0f 01 /3 Ms'], privilege: 'cpl0', xen: { effect: 'fault', rule: 'lidt' } },
  { key: 'lldt', mnemonic: 'lldt', enc: ['0f 00 /2 Ew'], privilege: 'cpl0', xen: { effect: 'fault', rule: 'lldt' } },
  { key: 'ltr', mnemonic: 'ltr', enc: ['0f 00 /3 Ew'], privilege: 'cpl0', xen: { effect: 'fault', rule: 'ltr' } },
  { key: 'sgdt', mnemonic: 'sgdt', enc: ['0f 01 /0 Ms'], privilege: 'sensitive', xen: { effect: 'silent', rule: 'table-register-read' } },
  { key: 'sidt', mnemonic: 'sidt', enc: ['0f 01 /1 Ms'], privilege: 'sensitive', xen: { effect: 'silent', rule: 'table-register-read' } },
  { key: 'sldt', mnemonic: 'sldt', enc: ['0f 00 /0 Rv/Mw'], privilege: 'sensitive', xen: { effect: 'silent', rule: 'table-register-read' } },
  { key: 'str', mnemonic: 'str', enc: ['0f 00 /1 Rv/Mw'], privilege: 'sensitive', xen: { effect: 'silent', rule: 'table-register-read' } },
  { key: 'lar', mnemonic: 'lar', enc: ['0f 02 /r Gv,Ew'], writes: 'z', privilege: 'sensitive', xen: { effect: 'silent', rule: 'descriptor-probe' } },
  { key: 'lsl', mnemonic: 'lsl', enc: ['0f 03 /r Gv,Ew'], writes: 'z', privilege: 'sensitive', xen: { effect: 'silent', rule: 'descriptor-probe' } },
  { key: 'verr', mnemonic: 'verr', enc: ['0f 00 /4 Ew'], writes: 'z', privilege: 'sensitive', xen: { effect: 'silent', rule: 'descriptor-probe' } },
  { key: 'verw', mnemonic: 'verw', enc: ['0f 00 /5 Ew'], writes: 'z', privilege: 'sensitive', xen: { effect: 'silent', rule: 'descriptor-probe' } },
  { key: 'arpl', mnemonic: 'arpl', enc: ['63 /r Ew,Gw'], mode: '32', writes: 'z', privilege: 'sensitive', xen: { effect: 'silent', rule: 'descriptor-probe' } },

  // Segments
  { key: 'mov-to-seg', mnemonic: 'mov', enc: ['8e /r Sw,Ew'], ends: true, privilege: 'sensitive', xen: { effect: 'silent', rule: 'segment-load' } },
  { key: 'pop-seg', mnemonic: 'pop', enc: ['07 ES m32', '17 SS m32', '1f DS m32', '0f a1 FS', '0f a9 GS'], d64: true, ends: true, privilege: 'sensitive', xen: { effect: 'silent', rule: 'segment-load' } },
  { key: 'lds', mnemonic: 'lds', enc: ['c5 /r Gz,Mp'], mode: '32', ends: true, privilege: 'sensitive', xen: { effect: 'silent', rule: 'segment-load' } },
  { key: 'les', mnemonic: 'les', enc: ['c4 /r Gz,Mp'], mode: '32', ends: true, privilege: 'sensitive', xen: { effect: 'silent', rule: 'segment-load' } },
  { key: 'lss', mnemonic: 'lss', enc: ['0f b2 /r Gv,Mp'], ends: true, privilege: 'sensitive', xen: { effect: 'silent', rule: 'segment-load' } },
  { key: 'lfs', mnemonic: 'lfs', enc: ['0f b4 /r Gv,Mp'], ends: true, privilege: 'sensitive', xen: { effect: 'silent', rule: 'segment-load' } },
  { key: 'lgs', mnemonic: 'lgs', enc: ['0f b5 /r Gv,Mp'], ends: true, privilege: 'sensitive', xen: { effect: 'silent', rule: 'segment-load' } },
  { key: 'mov-from-seg', mnemonic: 'mov', enc: ['8c /r Rv/Mw,Sw'], privilege: 'sensitive', xen: { effect: 'silent', rule: 'segment-read', note: 'shows RPL 1 or 3' } },
  { key: 'push-seg', mnemonic: 'push', enc: ['06 ES m32', '0e CS m32', '16 SS m32', '1e DS m32', '0f a0 FS', '0f a8 GS'], d64: true, privilege: 'sensitive', xen: { effect: 'silent', rule: 'segment-read', note: 'shows RPL 1 or 3' } },
  { key: 'call-far', mnemonic: 'call', aliases: ['lcall'], enc: ['9a Ap'], mode: '32', ends: true, privilege: 'sensitive', xen: { effect: 'fault', rule: 'far-transfer', note: '32-bit call gates are emulated' } },
  { key: 'call-far-ind', mnemonic: 'call', aliases: ['lcall'], enc: ['ff /3 Mp'], ends: true, privilege: 'sensitive', xen: { effect: 'fault', rule: 'far-transfer', note: '32-bit call gates are emulated' } },
  { key: 'jmp-far', mnemonic: 'jmp', aliases: ['ljmp'], enc: ['ea Ap'], mode: '32', ends: true, privilege: 'sensitive', xen: { effect: 'fault', rule: 'far-transfer', note: '32-bit call gates are emulated' } },
  { key: 'jmp-far-ind', mnemonic: 'jmp', aliases: ['ljmp'], enc: ['ff /5 Mp'], ends: true, privilege: 'sensitive', xen: { effect: 'fault', rule: 'far-transfer', note: '32-bit call gates are emulated' } },
  { key: 'ret-far', mnemonic: 'retf', aliases: ['lret'], enc: ['cb', 'ca Iw'], ends: true, privilege: 'sensitive', xen: { effect: 'fault', rule: 'far-transfer' } },

  // Kernel entry and exit
  { key: 'iret', mnemonic: 'iret', aliases: ['iretd', 'iretq'], enc: ['cf'], writes: 'oszapcdi', ends: true, privilege: 'sensitive', xen: { effect: 'silent', rule: 'iret', note: 'does not restore the event mask; a selector with RPL 0 faults' } },
  { key: 'syscall', mnemonic: 'syscall', enc: ['0f 05'], ends: true, privilege: 'sensitive', xen: { effect: 'silent', rule: 'syscall', note: 'in a 64-bit kernel it is the hypercall trap' } },
  { key: 'sysret', mnemonic: 'sysret', aliases: ['sysretl', 'sysretd', 'sysretq'], enc: ['0f 07'], ends: true, privilege: 'cpl0', xen: { effect: 'fault', rule: 'sysret' } },
  { key: 'sysenter', mnemonic: 'sysenter', enc: ['0f 34'], ends: true, privilege: 'conditional', xen: { effect: 'silent', rule: 'sysenter', note: 'enters Xen, which goes on to the registered CALLBACKTYPE_sysenter' } },
  { key: 'sysexit', mnemonic: 'sysexit', aliases: ['sysexitl', 'sysexitd', 'sysexitq'], enc: ['0f 35'], ends: true, privilege: 'cpl0', xen: { effect: 'fault', rule: 'sysenter' } },
  { key: 'int', mnemonic: 'int', enc: ['cd Ib'], ends: true, privilege: 'sensitive', xen: { effect: 'silent', rule: 'int-gate', note: 'Xen\'s own gate decides: 0x80 goes to the trap table, 0x82 is the 32-bit hypercall, others #GP first' } },
  { key: 'swapgs', mnemonic: 'swapgs', enc: ['0f 01 f8'], mode: '64', privilege: 'cpl0', xen: { effect: 'fault', rule: 'swapgs' } },
  { key: 'rdfsbase', mnemonic: 'rdfsbase', enc: ['f3 0f ae /0 Ry'], mode: '64', privilege: 'conditional', xen: { effect: 'fault', rule: 'fs-gs-base', note: '#UD unless CR4.FSGSBASE was set and allowed' } },
  { key: 'rdgsbase', mnemonic: 'rdgsbase', enc: ['f3 0f ae /1 Ry'], mode: '64', privilege: 'conditional', xen: { effect: 'fault', rule: 'fs-gs-base', note: '#UD unless CR4.FSGSBASE was set and allowed' } },
  { key: 'wrfsbase', mnemonic: 'wrfsbase', enc: ['f3 0f ae /2 Ry'], mode: '64', privilege: 'conditional', xen: { effect: 'fault', rule: 'fs-gs-base', note: '#UD unless CR4.FSGSBASE was set and allowed' } },
  { key: 'wrgsbase', mnemonic: 'wrgsbase', enc: ['f3 0f ae /3 Ry'], mode: '64', privilege: 'conditional', xen: { effect: 'fault', rule: 'fs-gs-base', note: '#UD unless CR4.FSGSBASE was set and allowed' } },

  // Machine state
  { key: 'rdmsr', mnemonic: 'rdmsr', enc: ['0f 32'], privilege: 'cpl0', xen: { effect: 'emulated', rule: 'rdmsr' } },
  { key: 'wrmsr', mnemonic: 'wrmsr', enc: ['0f 30'], ends: true, privilege: 'cpl0', xen: { effect: 'emulated', rule: 'wrmsr', note: 'a write to an unknown register is #GP or ignored' } },
  { key: 'rdtsc', mnemonic: 'rdtsc', enc: ['0f 31'], privilege: 'conditional', xen: { effect: 'emulated', rule: 'rdtsc', note: 'native unless the domain\'s TSC is emulated or CR4.TSD is set' } },
  { key: 'rdtscp', mnemonic: 'rdtscp', enc: ['0f 01 f9'], privilege: 'conditional', xen: { effect: 'emulated', rule: 'rdtsc', note: 'native unless the domain\'s TSC is emulated or CR4.TSD is set' } },
  { key: 'rdpmc', mnemonic: 'rdpmc', enc: ['0f 33'], privilege: 'conditional', xen: { effect: 'fault', rule: 'rdpmc' } },
  { key: 'cpuid', mnemonic: 'cpuid', enc: ['0f a2'], privilege: 'sensitive', xen: { effect: 'silent', rule: 'cpuid', note: 'not trapped without CPUID faulting: shows the host\'s values' } },
  { key: 'xsetbv', mnemonic: 'xsetbv', enc: ['np 0f 01 d1'], ends: true, privilege: 'cpl0', xen: { effect: 'emulated', rule: 'xsetbv' } },
  { key: 'xgetbv', mnemonic: 'xgetbv', enc: ['np 0f 01 d0'], privilege: 'conditional', xen: { effect: 'native', rule: 'xsetbv', note: '#UD unless CR4.OSXSAVE' } },
  { key: 'xsaves', mnemonic: 'xsaves', aliases: ['xsaves64'], enc: ['np 0f c7 /5 M'], feature: 'xsaves', privilege: 'cpl0', xen: { effect: 'fault', rule: 'xsaves' } },
  { key: 'xrstors', mnemonic: 'xrstors', aliases: ['xrstors64'], enc: ['np 0f c7 /3 M'], feature: 'xsaves', privilege: 'cpl0', xen: { effect: 'fault', rule: 'xsaves' } },

  // Ports
  { key: 'in', mnemonic: 'in', enc: ['e4 AL,Ib', 'e5 eAX,Ib', 'ec AL,DX', 'ed eAX,DX'], privilege: 'iopl', xen: { effect: 'emulated', rule: 'port-io' } },
  { key: 'out', mnemonic: 'out', enc: ['e6 Ib,AL', 'e7 Ib,eAX', 'ee DX,AL', 'ef DX,eAX'], privilege: 'iopl', xen: { effect: 'emulated', rule: 'port-io' } },
  { key: 'ins', mnemonic: 'ins', aliases: ['insb', 'insw', 'insd'], enc: ['6c Yb,DX', '6d Yz,DX'], reads: 'd', privilege: 'iopl', xen: { effect: 'emulated', rule: 'port-io' } },
  { key: 'outs', mnemonic: 'outs', aliases: ['outsb', 'outsw', 'outsd'], enc: ['6e DX,Xb', '6f DX,Xz'], reads: 'd', privilege: 'iopl', xen: { effect: 'emulated', rule: 'port-io' } },

  // Translation and caches
  { key: 'invlpg', mnemonic: 'invlpg', enc: ['0f 01 /7 M'], privilege: 'cpl0', xen: { effect: 'fault', rule: 'invlpg' } },
  { key: 'invpcid', mnemonic: 'invpcid', enc: ['66 0f 38 82 /r Gn,Mx'], feature: 'invpcid', privilege: 'cpl0', xen: { effect: 'fault', rule: 'invpcid' } },
  { key: 'wbinvd', mnemonic: 'wbinvd', enc: ['0f 09'], privilege: 'cpl0', xen: { effect: 'emulated', rule: 'wbinvd', note: 'ignored unless the domain may flush caches' } },
  { key: 'wbnoinvd', mnemonic: 'wbnoinvd', enc: ['f3 0f 09'], feature: 'wbnoinvd', privilege: 'cpl0', xen: { effect: 'emulated', rule: 'wbinvd', note: 'ignored unless the domain may flush caches' } },
  { key: 'invd', mnemonic: 'invd', enc: ['0f 08'], privilege: 'cpl0', xen: { effect: 'fault', rule: 'invd' } },

  // Idle and access rights
  { key: 'monitor', mnemonic: 'monitor', enc: ['np 0f 01 c8'], feature: 'monitor', privilege: 'cpl0', xen: { effect: 'fault', rule: 'mwait' } },
  { key: 'mwait', mnemonic: 'mwait', enc: ['np 0f 01 c9'], feature: 'monitor', ends: true, privilege: 'cpl0', xen: { effect: 'fault', rule: 'mwait' } },
  { key: 'clac', mnemonic: 'clac', enc: ['np 0f 01 ca'], feature: 'smap', privilege: 'cpl0', xen: { effect: 'fault', rule: 'stac-clac' } },
  { key: 'stac', mnemonic: 'stac', enc: ['np 0f 01 cb'], feature: 'smap', privilege: 'cpl0', xen: { effect: 'fault', rule: 'stac-clac' } },
  { key: 'rdpkru', mnemonic: 'rdpkru', enc: ['np 0f 01 ee'], feature: 'pku', privilege: 'conditional', xen: { effect: 'fault', rule: 'protection-keys', note: 'Xen never enables CR4.PKE for PV' } },
  { key: 'wrpkru', mnemonic: 'wrpkru', enc: ['np 0f 01 ef'], feature: 'pku', privilege: 'conditional', xen: { effect: 'fault', rule: 'protection-keys', note: 'Xen never enables CR4.PKE for PV' } },
];
