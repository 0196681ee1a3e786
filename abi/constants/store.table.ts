// XenStore: message types, errors, ring, limits, states of a device under negotiation.

/** xsd_sockmsg.type. 20 was XS_RESTRICT and is gone. */
export const storeMessages = {
  XS_CONTROL: 0,
  XS_DIRECTORY: 1,
  XS_READ: 2,
  XS_GET_PERMS: 3,
  XS_WATCH: 4,
  XS_UNWATCH: 5,
  XS_TRANSACTION_START: 6,
  XS_TRANSACTION_END: 7,
  XS_INTRODUCE: 8,
  XS_RELEASE: 9,
  XS_GET_DOMAIN_PATH: 10,
  XS_WRITE: 11,
  XS_MKDIR: 12,
  XS_RM: 13,
  XS_SET_PERMS: 14,
  XS_WATCH_EVENT: 15,
  XS_ERROR: 16,
  XS_IS_DOMAIN_INTRODUCED: 17,
  XS_RESUME: 18,
  XS_SET_TARGET: 19,
  XS_RESET_WATCHES: 21,
  XS_DIRECTORY_PART: 22,
} as const;

/** The errors that a reply of type XS_ERROR can name; a reply carries the name as text with a NUL. */
export const storeErrorNames = [
  'EINVAL',
  'EACCES',
  'EEXIST',
  'EISDIR',
  'ENOENT',
  'ENOMEM',
  'ENOSPC',
  'EIO',
  'ENOTEMPTY',
  'ENOSYS',
  'EROFS',
  'EBUSY',
  'EAGAIN',
  'EISCONN',
  'E2BIG',
  'EPERM',
] as const;

/** Values of a device's `state` node. */
export const xenbusStates = {
  XenbusStateUnknown: 0,
  XenbusStateInitialising: 1,
  XenbusStateInitWait: 2,
  XenbusStateInitialised: 3,
  XenbusStateConnected: 4,
  XenbusStateClosing: 5,
  XenbusStateClosed: 6,
  XenbusStateReconfiguring: 7,
  XenbusStateReconfigured: 8,
} as const;

/** Sizes. */
export const storeLimits = {
  XENSTORE_RING_SIZE: 0x400,
  XENSTORE_REL_PATH_MAX: 0x800,
  XENSTORE_ABS_PATH_MAX: 0xc00,
  XENSTORE_PAYLOAD_MAX: 0x1000,
} as const;

/** xenstore_domain_interface.server_features. */
export const storeFeatures = {
  XENSTORE_SERVER_FEATURE_RECONNECTION: 0x1,
  XENSTORE_SERVER_FEATURE_ERROR: 0x2,
} as const;

/** xenstore_domain_interface.connection. */
export const storeConnection = {
  XENSTORE_CONNECTED: 0,
  XENSTORE_RECONNECT: 1,
} as const;

/** xenstore_domain_interface.error. */
export const storeErrors = {
  XENSTORE_ERROR_NONE: 0,
  XENSTORE_ERROR_COMM: 1,
  XENSTORE_ERROR_RINGIDX: 2,
  XENSTORE_ERROR_PROTO: 3,
} as const;
