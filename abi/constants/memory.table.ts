// memory_op: reservation flags, map spaces, resources.

/** xen_memory_reservation.mem_flags. */
export const memoryFlags = {
  XENMEMF_populate_on_demand: 0x10000,
  XENMEMF_exact_node_request: 0x20000,
  XENMEMF_vnode: 0x40000,
} as const;

/** xen_add_to_physmap.space. */
export const mapSpaces = {
  XENMAPSPACE_shared_info: 0,
  XENMAPSPACE_grant_table: 1,
  XENMAPSPACE_gmfn: 2,
  XENMAPSPACE_gmfn_range: 3,
  XENMAPSPACE_gmfn_foreign: 4,
  XENMAPSPACE_dev_mmio: 5,
} as const;

/** xen_mem_acquire_resource.type. */
export const resources = {
  XENMEM_resource_ioreq_server: 0,
  XENMEM_resource_grant_table: 1,
  XENMEM_resource_vmtrace_buf: 2,
} as const;

/** xen_mem_acquire_resource.id of a grant table. */
export const resourceIds = {
  XENMEM_resource_grant_table_id_shared: 0,
  XENMEM_resource_grant_table_id_status: 1,
} as const;
