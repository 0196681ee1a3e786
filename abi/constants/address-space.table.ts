// The parts of the virtual address space that belong to the hypervisor, and the machine-to-physical table in it.

/** For a 64-bit guest. */
export const addressSpace64 = {
  HYPERVISOR_VIRT_START: 0xffff800000000000n,
  /** First address above the hypervisor: the guest owns everything from here up. */
  HYPERVISOR_VIRT_END: 0xffff880000000000n,
  MACH2PHYS_VIRT_START: 0xffff800000000000n,
  MACH2PHYS_VIRT_END: 0xffff804000000000n,
} as const;

/** For a 32-bit (PAE) guest: from HYPERVISOR_VIRT_START to 4 GiB belongs to Xen; memory_op.machphys_mapping tells the real range. */
export const addressSpace32 = {
  HYPERVISOR_VIRT_START: 0xf5800000n,
  MACH2PHYS_VIRT_START: 0xf5800000n,
  MACH2PHYS_VIRT_END: 0xf6800000n,
} as const;
