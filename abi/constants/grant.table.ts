// Grant tables: entry flags, map flags, statuses, reserved entries.

/** grant_entry_v1.flags and grant_entry_header.flags. */
export const grantFlags = {
  GTF_invalid: 0x0,
  GTF_permit_access: 0x1,
  GTF_accept_transfer: 0x2,
  GTF_transitive: 0x3,
  GTF_type_mask: 0x3,
  GTF_readonly: 0x4,
  GTF_transfer_committed: 0x4,
  GTF_reading: 0x8,
  GTF_transfer_completed: 0x8,
  GTF_writing: 0x10,
  GTF_PWT: 0x20,
  GTF_PCD: 0x40,
  GTF_PAT: 0x80,
  GTF_sub_page: 0x100,
} as const;

/** gnttab_map_grant_ref.flags. */
export const grantMapFlags = {
  GNTMAP_device_map: 0x1,
  GNTMAP_host_map: 0x2,
  GNTMAP_readonly: 0x4,
  GNTMAP_application_map: 0x8,
  GNTMAP_contains_pte: 0x10,
} as const;

/** gnttab_copy.flags. */
export const grantCopyFlags = {
  GNTCOPY_source_gref: 0x1,
  GNTCOPY_dest_gref: 0x2,
} as const;

/** status of every grant operation. */
export const grantStatuses = {
  GNTST_no_space: -13,
  GNTST_eagain: -12,
  GNTST_address_too_big: -11,
  GNTST_bad_copy_arg: -10,
  GNTST_bad_page: -9,
  GNTST_permission_denied: -8,
  GNTST_no_device_space: -7,
  GNTST_bad_dev_addr: -6,
  GNTST_bad_virt_addr: -5,
  GNTST_bad_handle: -4,
  GNTST_bad_gntref: -3,
  GNTST_bad_domain: -2,
  GNTST_general_error: -1,
  GNTST_okay: 0,
} as const;

/** gnttab_cache_flush.op. */
export const grantCacheFlags = {
  GNTTAB_CACHE_CLEAN: 0x1,
  GNTTAB_CACHE_INVAL: 0x2,
  GNTTAB_CACHE_SOURCE_GREF: 0x80000000,
} as const;

/** Entries that the domain builder fills. */
export const reservedGrants = {
  GNTTAB_RESERVED_CONSOLE: 0,
  GNTTAB_RESERVED_XENSTORE: 1,
  GNTTAB_NR_RESERVED_ENTRIES: 8,
} as const;
