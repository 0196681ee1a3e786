// Arguments of memory_op.
// Notation: declaration.ts.

export const memoryStructures = {
  xen_memory_reservation: '@frame extent_start[nr_extents]; ulong nr_extents; u32 extent_order; x32 mem_flags; domid domid',
  xen_memory_exchange: 'xen_memory_reservation in; xen_memory_reservation out; ulong nr_exchanged',
  xen_machphys_mfn_list: 'u32 max_extents; >@frame extent_start[nr_extents]; >u32 nr_extents',
  xen_machphys_mapping: '>xlong v_start; >xlong v_end; >xlong max_mfn',
  xen_add_to_physmap: 'domid domid; u16 size; u32=mapspace space; xlong idx; frame gpfn',
  xen_add_to_physmap_batch_extra: 'union { domid foreign_domid; u16 res0 }',
  xen_add_to_physmap_batch: `
    domid domid; u16=mapspace space; u16 size; xen_add_to_physmap_batch_extra u; @ulong idxs[size]; @frame gpfns[size];
    @s32 errs[size]`,
  xen_memory_map: 'u32 nr_entries; @void buffer',
  xen_foreign_memory_map: 'domid domid; xen_memory_map map',
  xen_remove_from_physmap: 'domid domid; frame gpfn',
  xen_pod_target: 'u64 target_pages; >u64 tot_pages; >u64 pod_cache_pages; >u64 pod_entries; domid domid',
  xen_mem_paging_op: 'u8=mem_paging op; domid domain; @64:u8 buffer; x64a gfn',
  xen_mem_access_op: 'u8=mem_access op; u8 access; domid domid; u32 nr; x64a pfn; @u64 pfn_list; @u8 access_list',
  mem_sharing_op_nominate: 'union { x64a gfn; u32 grant_ref } u; x64a handle',
  mem_sharing_op_share: 'x64a source_gfn; x64a source_handle; x64a client_gfn; x64a client_handle; domid client_domain',
  mem_sharing_op_range: 'x64a first_gfn; x64a last_gfn; u64a opaque; domid client_domain; u16 _pad[3]',
  mem_sharing_op_debug: 'union { x64a gfn; x64a mfn; u32 gref } u',
  mem_sharing_op_fork: 'domid parent_domain; x16 flags; u32 pad',
  xen_mem_sharing_op: `
    u8=mem_sharing op; domid domain;
    union { mem_sharing_op_nominate nominate; mem_sharing_op_share share; mem_sharing_op_range range; mem_sharing_op_debug debug; mem_sharing_op_fork fork } u`,
  xen_mem_acquire_resource: 'domid domid; u16=resource type; u32 id; u32 nr_frames; u32 pad; x64 frame; >@frame frame_list[nr_frames]',
  xen_reserved_device_memory: 'frame start_pfn; ulong nr_pages',
  physdev_pci_device: 'u16 seg; u8 bus; u8 devfn',
  xen_reserved_device_memory_map: `
    x32 flags; u32 nr_entries; >@xen_reserved_device_memory buffer[nr_entries]; union { physdev_pci_device pci } dev`,
  xen_vmemrange: 'x64 start; x64 end; x32 flags; u32 nid',
  xen_vnuma_topology_info: `
    domid domid; u16 pad; u32 nr_vnodes; u32 nr_vcpus; u32 nr_vmemranges; union { @u32 h; u64 pad } vdistance;
    union { @u32 h; u64 pad } vcpu_to_vnode; union { @xen_vmemrange h; u64 pad } vmemrange`,
  xen_memory_domain: 'domid domid',
} as const;
