// The errnos that Xen's public headers name in their comments: the header, words of the comment's line, the rows that it is about.
// Where real Xen does not give one to a domU, why not. A test finds every such line of the headers here.

export interface Documented {
  readonly header: string;
  /** Part of the line that names the errno. */
  readonly line: string;
  readonly errno: string;
  /** Rows of the hypercall tables; none: the comment is not about a result. */
  readonly rows: readonly string[];
  /** Why real Xen does not give it to a domU. */
  readonly unreachable?: string;
}

const SYSCTL = 'a domU is refused with -EPERM before the operation is looked at (toolstack-sysctl)';
const DOMCTL = 'a domU is refused before the operation is looked at: -EPERM for its own domain, -ESRCH for others (toolstack-domctl)';
const of = (
  header: string,
  unreachable: string | undefined,
  rows: readonly string[],
  ...lines: [line: string, errno: string][]
): Documented[] => lines.map(([line, errno]) => ({ header, line, errno, rows, ...(unreachable === undefined ? {} : { unreachable }) }));

export const documented: readonly Documented[] = [
  ...of('nmi.h', undefined, ['nmi_op.register_callback'], ['All other callers will be returned EINVAL', '-EINVAL']),
  ...of('callback.h', undefined, ['callback_op.unregister'], ['Not all callbacks can be unregistered. -EINVAL', '-EINVAL']),
  ...of('vcpu.h', undefined, ['vcpu_op.get_physid'], ['This command returns -EINVAL', '-EINVAL']),
  ...of(
    'vcpu.h',
    'Xen 4.17 arms a timer for the past at once and answers 0, whatever the flag (vcpu-operations, timer-operations)',
    ['vcpu_op.set_singleshot_timer'],
    ['(return -ETIME if', '-ETIME'],
  ),
  ...of(
    'arch-x86/xen.h',
    'Xen 4.17 answers -ENODEV for the numbers that are no register (register-debug)',
    ['get_debugreg'],
    ['For other values of reg, returns ((unsigned long)-EINVAL)', '-EINVAL'],
  ),
  ...of(
    'memory.h',
    'only a machine whose IOMMU has regions of its own has more entries than none; the recordings have no IOMMU, and a call for 0 entries is answered with 0 (memory-toolstack)',
    ['memory_op.reserved_device_memory_map'],
    ['signaled by error code -ERANGE', '-ERANGE'],
  ),
  ...of(
    'memory.h',
    'it is for callers with a translated address space; a PV guest gets frame numbers, and a domU is refused with -EPERM (memory-toolstack)',
    ['memory_op.acquire_resource'],
    ['If -EIO is returned', '-EIO'],
  ),
  ...of(
    'argo.h',
    "argo is off unless Xen's command line has argo=1: every call is -ENOSYS (toolstack-optional)",
    ['argo_op.sendv'],
    ['it will return -EAGAIN', '-EAGAIN'],
  ),
  ...of(
    'hypfs.h',
    'only the control domain may use it: -EPERM before the path is read (toolstack-optional)',
    ['hypfs_op.read'],
    ['for all the data -ENOBUFS', '-ENOBUFS'],
  ),
  ...of(
    'hvm/dm_op.h',
    'it is how Xen goes on with a call, no answer to the guest; the call is for HVM guests alone (toolstack-hvm)',
    ['dm_op.set_mem_type'],
    ['(return code -ERESTART)', '-ERESTART'],
  ),
  ...of(
    'sysctl.h',
    SYSCTL,
    ['sysctl.cpupool_op'],
    ['* -EADDRINUSE:', '-EADDRINUSE'],
    ['* -EADDRNOTAVAIL:', '-EADDRNOTAVAIL'],
    ['terminated with -EAGAIN', '-EAGAIN'],
    ['* -EAGAIN:', '-EAGAIN'],
    ['* -EBUSY:', '-EBUSY'],
    ['* -EEXIST:', '-EEXIST'],
    ['* -EINVAL:', '-EINVAL'],
    ['* -ENODEV:', '-ENODEV'],
    ['* -ENOENT:', '-ENOENT'],
    ['like -ENOMEM and', '-ENOMEM'],
    ['and -EFAULT are', '-EFAULT'],
  ),
  ...of('sysctl.h', SYSCTL, ['sysctl.get_cpu_featureset', 'sysctl.get_cpu_policy'], ['May fail with -EOPNOTSUPP', '-EOPNOTSUPP']),
  ...of('sysctl.h', SYSCTL, ['sysctl.livepatch_op'], ['-XEN_EAGAIN spin', '-EAGAIN'], ['returns E2BIG', '-E2BIG']),
  ...of('domctl.h', DOMCTL, ['domctl.memory_mapping'], ['-E2BIG   passed in', '-E2BIG']),
  ...of('domctl.h', undefined, [], ['other than -E2BIG', '-E2BIG'], ['Sharing ENOMEM helper', '-ENOMEM']),
  ...of(
    'domctl.h',
    DOMCTL,
    ['domctl.vm_event_op'],
    ['ENODEV - host lacks', '-ENODEV'],
    ['EMLINK - guest has', '-EMLINK'],
    ['EXDEV  - guest has', '-EXDEV'],
    ['EBUSY  - guest has or had', '-EBUSY'],
  ),
  ...of('domctl.h', DOMCTL, ['domctl.get_vcpu_msrs'], ['-ENOBUFS shall', '-ENOBUFS']),
  ...of('domctl.h', DOMCTL, ['domctl.set_vcpu_msrs'], ['with a specific MSR, -EINVAL', '-EINVAL']),
];

/** Headers whose comments are about no hypercall, or about no PV guest. */
export const otherHeaders: readonly RegExp[] = [/^arch-arm/, /^io\//, /^sys\//, /errno\.h$/];

export interface DocumentedPair {
  readonly row: string;
  readonly errno: string;
  /** Real Xen was seen to give it. */
  readonly seen: boolean;
  readonly unreachable: string | null;
}

/** The pairs of row and errno that the headers name, with what is known of each. */
export function documentedPairs(seen: (row: string, errno: string) => boolean): readonly DocumentedPair[] {
  const pairs = new Map<string, DocumentedPair>();
  for (const { rows, errno, unreachable = null } of documented) {
    for (const row of rows) pairs.set(`${row} ${errno}`, { row, errno, seen: seen(row, errno), unreachable });
  }
  return [...pairs.values()];
}
