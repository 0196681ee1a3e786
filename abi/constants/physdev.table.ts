// physdev_op: interrupt types and flags.

/** physdev_map_pirq.type. */
export const pirqTypes = {
  MAP_PIRQ_TYPE_MSI: 0,
  MAP_PIRQ_TYPE_GSI: 1,
  MAP_PIRQ_TYPE_UNKNOWN: 2,
  MAP_PIRQ_TYPE_MSI_SEG: 3,
  MAP_PIRQ_TYPE_MULTI_MSI: 4,
} as const;

/** physdev_irq_status_query.flags. */
export const irqStatusFlags = {
  XENIRQSTAT_needs_eoi: 0x1,
  XENIRQSTAT_shared: 0x2,
} as const;

/** physdev_pci_device_add.flags. */
export const pciFlags = {
  XEN_PCI_DEV_EXTFN: 0x1,
  XEN_PCI_DEV_VIRTFN: 0x2,
  XEN_PCI_DEV_PXM: 0x4,
} as const;
