// Page-table and descriptor updates, batches.
// Notation: declaration.ts.

export const mmuStructures = {
  mmu_update: 'x64 ptr; x64 val',
  mmuext_op: `
    u32=mmuext cmd; union { frame mfn; xlong linear_addr } arg1; union { u32 nr_ents; @void vcpumask; frame src_mfn } arg2`,
  multicall_entry: 'ulong=hypercall op; >long result; xlong args[6]',
  xenctl_bitmap: '@64:u8 bitmap; u32 nr_bits',
} as const;
