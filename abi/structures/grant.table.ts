// Grant entries and the arguments of grant_table_op.
// Notation: declaration.ts.

export const grantStructures = {
  grant_entry_v1: 'x16 flags; domid domid; x32 frame',
  grant_entry_header: 'x16 flags; domid domid',
  grant_entry_v2: `
    union {
    grant_entry_header hdr; struct { grant_entry_header hdr; u32 pad0; x64 frame } full_page;
    struct { grant_entry_header hdr; u16 page_off; u16 length; x64 frame } sub_page;
    struct { grant_entry_header hdr; domid trans_domid; u16 pad0; ref gref } transitive; u32 __spacer[4] }`,
  gnttab_map_grant_ref: 'x64 host_addr; x32 flags; ref ref; domid dom; >s16=gntst status; >handle handle; >x64 dev_bus_addr',
  gnttab_unmap_grant_ref: 'x64 host_addr; x64 dev_bus_addr; handle handle; >s16=gntst status',
  gnttab_setup_table: 'domid dom; u32 nr_frames; >s16=gntst status; >@frame frame_list[nr_frames]',
  gnttab_dump_table: 'domid dom; >s16=gntst status',
  gnttab_transfer: 'frame mfn; domid domid; ref ref; >s16=gntst status',
  gnttab_copy_ptr: 'union { ref ref; frame gmfn } u; domid domid; u16 offset',
  gnttab_copy: 'gnttab_copy_ptr source; gnttab_copy_ptr dest; u16 len; x16 flags; >s16=gntst status',
  gnttab_query_size: 'domid dom; >u32 nr_frames; >u32 max_nr_frames; >s16=gntst status',
  gnttab_unmap_and_replace: 'x64 host_addr; x64 new_addr; handle handle; >s16=gntst status',
  gnttab_set_version: 'u32 version',
  gnttab_get_status_frames: 'u32 nr_frames; domid dom; >s16=gntst status; >@u64 frame_list[nr_frames]',
  gnttab_get_version: 'domid dom; u16 pad; >u32 version',
  gnttab_swap_grant_ref: 'ref ref_a; ref ref_b; >s16=gntst status',
  gnttab_cache_flush: 'union { x64 dev_bus_addr; ref ref } a; u16 offset; u16 length; x32 op',
} as const;
