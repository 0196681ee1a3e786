// Heads of structures whose body only the toolstack uses: the fields that say which operation it is. The size is the head's.

export const headStructures = {
  xen_domctl: 'u32=domctl cmd; u32 interface_version; domid domain',
  xen_sysctl: 'u32=sysctl cmd; u32 interface_version',
  xen_flask_op: 'u32=xsm_op cmd; u32 interface_version',
  xen_mc: 'u32=mca cmd; u32 interface_version',
} as const;
