// What the host-CPU oracles leave out, by row, and why.

/** Rows that cannot run natively in a process without harm, or whose result is the host's business. */
export const NOT_COMPARED: ReadonlyMap<string, string> = new Map([
  ...['syscall', 'int'].map((k) => [k, 'enters the operating system'] as const),
  ...[
    'mov-to-seg',
    'pop-seg',
    'lds',
    'les',
    'lss',
    'lfs',
    'lgs',
    'iret',
    'ret-far',
    'jmp-far',
    'call-far',
    'jmp-far-ind',
    'call-far-ind',
  ].map((k) => [k, 'loads segment registers of the test process: compared with QEMU'] as const),
  ...['sgdt', 'sidt', 'sldt', 'str', 'smsw', 'cpuid', 'rdtsc'].map(
    (k) => [k, 'shows state of the host processor and its operating system'] as const,
  ),
  ...['xgetbv', 'xsetbv'].map((k) => [k, 'the host processor has xsave, the models do not'] as const),
  ['rdtscp', 'the host processor has it, the models do not'],
  ...['vmrun', 'vmload', 'vmsave', 'vmmcall', 'stgi', 'clgi', 'skinit', 'invlpga'].map(
    (k) => [k, 'depends on what the host processor and its hypervisor allow'] as const,
  ),
  ['sysenter', "enters the operating system on Intel's processors"],
  ['sysexit', 'a hypervisor below may emulate it'],
  ['int1', 'virtual machines report it with different addresses'],
  ...['rdfsbase', 'rdgsbase', 'wrfsbase', 'wrgsbase'].map((k) => [k, 'the operating system enables it, Xen PV does not'] as const),
]);
