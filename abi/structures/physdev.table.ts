// Arguments of physdev_op.
// Notation: declaration.ts.

export const physdevStructures = {
  physdev_eoi: 'u32 irq',
  physdev_pirq_eoi_gmfn: 'frame gmfn',
  physdev_irq_status_query: 'u32 irq; >x32 flags',
  physdev_set_iopl: 'u32 iopl',
  physdev_set_iobitmap: '@u8 bitmap; u32 nr_ports',
  physdev_apic: 'xlong apic_physbase; x32 reg; x32 value',
  physdev_irq: 'u32 irq; >u32 vector',
  physdev_map_pirq: 'domid domid; s32=map_pirq type; s32 index; s32 pirq; s32 bus; s32 devfn; s32 entry_nr; x64 table_base',
  physdev_unmap_pirq: 'domid domid; s32 pirq',
  physdev_manage_pci: 'u8 bus; u8 devfn',
  physdev_restore_msi: 'u8 bus; u8 devfn',
  physdev_manage_pci_ext: 'u8 bus; u8 devfn; u32 is_extfn; u32 is_virtfn; struct { u8 bus; u8 devfn } physfn',
  physdev_op: `
    u32=physdev_op cmd;
    union { physdev_irq_status_query irq_status_query; physdev_set_iopl set_iopl; physdev_set_iobitmap set_iobitmap; physdev_apic apic_op; physdev_irq irq_op } u`,
  physdev_setup_gsi: 's32 gsi; u8 triggering; u8 polarity',
  physdev_get_free_pirq: 's32 type; >u32 pirq',
  physdev_pci_mmcfg_reserved: 'x64 address; u16 segment; u8 start_bus; u8 end_bus; x32 flags',
  physdev_pci_device_add: 'u16 seg; u8 bus; u8 devfn; x32 flags; struct { u8 bus; u8 devfn } physfn; u32 optarr[0]',
  physdev_dbgp_op: 'u8 op; u8 bus; union { physdev_pci_device pci } u',
} as const;
