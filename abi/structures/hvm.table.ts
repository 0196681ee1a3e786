// Arguments of hvm_op and dm_op: for HVM domains and those who control them.
// Notation: declaration.ts.

export const hvmStructures = {
  xen_hvm_param: 'domid domid; u16 pad; u32=hvm_param index; x64 value',
  xen_hvm_pagetable_dying: 'domid domid; u16 pad[3]; x64 gpa',
  xen_hvm_get_time: 'u64 now',
  xen_hvm_xentrace: 'u16 event; u16 extra_bytes; u8 extra[28]',
  xen_hvm_get_mem_type: 'domid domid; u16 mem_type; u16 pad[2]; x64 pfn',
  xen_hvm_evtchn_upcall_vector: 'u32 vcpu; u8 vector',
  xen_hvm_altp2m_domain_state: 'u8 state',
  xen_hvm_altp2m_vcpu_enable_notify: 'u32 vcpu_id; u32 pad; x64 gfn',
  xen_hvm_altp2m_view: 'u16 view; u16 hvmmem_default_access',
  xen_hvm_altp2m_mem_access: 'u16 view; u16 access; u32 pad; x64 gfn',
  xen_hvm_altp2m_change_gfn: 'u16 view; u16 pad1; u32 pad2; x64 old_gfn; x64 new_gfn',
  xen_hvm_altp2m_set_mem_access_multi: 'u16 view; u16 pad; u32 nr; u64 opaque; @u64 pfn_list; @u8 access_list',
  xen_hvm_altp2m_suppress_ve: 'u16 view; u8 suppress_ve; u8 pad1; u32 pad2; x64 gfn',
  xen_hvm_altp2m_suppress_ve_multi: 'u16 view; u8 suppress_ve; u8 pad1; s32 first_error; x64 first_gfn; x64 last_gfn; x64 first_error_gfn',
  xen_hvm_altp2m_vcpu_disable_notify: 'u32 vcpu_id',
  xen_hvm_altp2m_get_vcpu_p2m_idx: 'u32 vcpu_id; u16 altp2m_idx',
  xen_hvm_altp2m_set_visibility: 'u16 altp2m_idx; u8 visible; u8 pad',
  xen_hvm_altp2m_op: `
    u32 version; u32=altp2m cmd; domid domain; u16 pad1; u32 pad2;
    union { xen_hvm_altp2m_domain_state domain_state; xen_hvm_altp2m_vcpu_enable_notify enable_notify; xen_hvm_altp2m_view view; xen_hvm_altp2m_mem_access mem_access; xen_hvm_altp2m_change_gfn change_gfn; xen_hvm_altp2m_set_mem_access_multi set_mem_access_multi; xen_hvm_altp2m_suppress_ve suppress_ve; xen_hvm_altp2m_suppress_ve_multi suppress_ve_multi; xen_hvm_altp2m_vcpu_disable_notify disable_notify; xen_hvm_altp2m_get_vcpu_p2m_idx get_vcpu_p2m_idx; xen_hvm_altp2m_set_visibility set_visibility; u8 pad[64] } u`,
  xen_dm_op_buf: '@void h; ulong size',
  xen_dm_op_create_ioreq_server: 'u8 handle_bufioreq; u8 pad[3]; u16 id',
  xen_dm_op_get_ioreq_server_info: 'u16 id; x16 flags; port bufioreq_port; x64a ioreq_gfn; x64a bufioreq_gfn',
  xen_dm_op_ioreq_server_range: 'u16 id; u16 pad; u32 type; x64a start; x64a end',
  xen_dm_op_set_ioreq_server_state: 'u16 id; u8 enabled; u8 pad',
  xen_dm_op_destroy_ioreq_server: 'u16 id; u16 pad',
  xen_dm_op_track_dirty_vram: 'u32 nr; u32 pad; x64a first_pfn',
  xen_dm_op_set_pci_intx_level: 'u16 domain; u8 bus; u8 device; u8 intx; u8 level',
  xen_dm_op_set_isa_irq_level: 'u8 isa_irq; u8 level',
  xen_dm_op_set_irq_level: 'u32 irq; u8 level; u8 pad[3]',
  xen_dm_op_set_pci_link_route: 'u8 link; u8 isa_irq',
  xen_dm_op_modified_memory: 'u32 nr_extents; u32 opaque',
  xen_dm_op_set_mem_type: 'u32 nr; u16 mem_type; u16 pad; x64a first_pfn',
  xen_dm_op_inject_event: 'u32 vcpuid; u8 vector; u8 type; u8 insn_len; u8 pad0; u32 error_code; u32 pad1; x64a cr2',
  xen_dm_op_inject_msi: 'u32 data; u32 pad; x64a addr',
  xen_dm_op_map_mem_type_to_ioreq_server: 'u16 id; u16 type; x32 flags; u64 opaque',
  xen_dm_op_remote_shutdown: 'u32=shutdown reason',
  xen_dm_op_relocate_memory: 'u32 size; u32 pad; x64a src_gfn; x64a dst_gfn',
  xen_dm_op_pin_memory_cacheattr: 'x64a start; x64a end; u32 type; u32 pad',
  xen_dm_op_nr_vcpus: 'u32 vcpus',
  xen_dm_op: `
    u32=dm_op op; u32 pad;
    union { xen_dm_op_create_ioreq_server create_ioreq_server; xen_dm_op_get_ioreq_server_info get_ioreq_server_info; xen_dm_op_ioreq_server_range map_io_range_to_ioreq_server; xen_dm_op_ioreq_server_range unmap_io_range_from_ioreq_server; xen_dm_op_set_ioreq_server_state set_ioreq_server_state; xen_dm_op_destroy_ioreq_server destroy_ioreq_server; xen_dm_op_track_dirty_vram track_dirty_vram; xen_dm_op_set_pci_intx_level set_pci_intx_level; xen_dm_op_set_isa_irq_level set_isa_irq_level; xen_dm_op_set_irq_level set_irq_level; xen_dm_op_set_pci_link_route set_pci_link_route; xen_dm_op_modified_memory modified_memory; xen_dm_op_set_mem_type set_mem_type; xen_dm_op_inject_event inject_event; xen_dm_op_inject_msi inject_msi; xen_dm_op_map_mem_type_to_ioreq_server map_mem_type_to_ioreq_server; xen_dm_op_remote_shutdown remote_shutdown; xen_dm_op_relocate_memory relocate_memory; xen_dm_op_pin_memory_cacheattr pin_memory_cacheattr; xen_dm_op_nr_vcpus nr_vcpus } u`,
} as const;
