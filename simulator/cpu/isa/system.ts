// System instructions: bodies in TypeScript. What needs CPL 0 raises #GP(0) at once: the guests run above it, and what the
// fault means is the hypervisor's business.

import { defRare } from './definitions.ts';

defRare(
  'cli sti lgdt lidt lldt ltr lmsw clts invlpg rdmsr wrmsr rdpmc sysret swapgs wbinvd invd mov-from-cr mov-to-cr mov-from-dr mov-to-dr in out ins outs',
  { rare: 'privileged' },
);
// Neither processor model has xsave.
defRare('xgetbv xsetbv', { rare: 'undefined' });
defRare('sysexit');
// rdtscp is in neither model, nor does a guest get VMX. The SVM family is there on AMD's, for CPL 0 only.
defRare('rdtscp vmmcall', { rare: 'undefined' });
defRare('vmrun vmload vmsave stgi clgi skinit invlpga', { rare: 'privileged' });
defRare('cpuid rdtsc rdfsbase rdgsbase wrfsbase wrgsbase');
defRare('sgdt sidt sldt str smsw lar lsl verr verw arpl mov-from-seg push-seg');
defRare('mov-to-seg pop-seg lds les lss lfs lgs', { leaves: true });
defRare('daa das aaa aas aam aad');
