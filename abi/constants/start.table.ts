// start_info flags and boot modules, boot video types.

/** Bits of start_info.flags. */
export const startFlags = {
  SIF_PRIVILEGED: 0x1,
  SIF_INITDOMAIN: 0x2,
  SIF_MULTIBOOT_MOD: 0x4,
  SIF_MOD_START_PFN: 0x8,
  SIF_VIRT_P2M_4TOOLS: 0x10,
  SIF_PM_MASK: 0xff00,
} as const;

/** dom0_vga_console_info.video_type. */
export const videoTypes = {
  XEN_VGATYPE_TEXT_MODE_3: 3,
  XEN_VGATYPE_VESA_LFB: 35,
  XEN_VGATYPE_EFI_LFB: 112,
} as const;

/** Limits of the start structures. */
export const startLimits = {
  MAX_GUEST_CMDLINE: 0x400,
  XEN_HVM_START_MAGIC_VALUE: 0x336ec578,
} as const;

/** Memory map types of PVH start and of memory_op.memory_map. */
export const e820Types = {
  XEN_HVM_MEMMAP_TYPE_RAM: 1,
  XEN_HVM_MEMMAP_TYPE_RESERVED: 2,
  XEN_HVM_MEMMAP_TYPE_ACPI: 3,
  XEN_HVM_MEMMAP_TYPE_NVS: 4,
  XEN_HVM_MEMMAP_TYPE_UNUSABLE: 5,
  XEN_HVM_MEMMAP_TYPE_DISABLED: 6,
  XEN_HVM_MEMMAP_TYPE_PMEM: 7,
} as const;
