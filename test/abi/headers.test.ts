// Oracle: gcc and the public headers of Debian's libxen-dev. Every number, size and offset of the tables is compiled, for 64 and for
// 32 bit, into an object file together with what the tables say, and read back.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as addressSpace from '../../abi/constants/address-space.table.ts';
import * as blockNet from '../../abi/constants/block-net.table.ts';
import * as domain from '../../abi/constants/domain.table.ts';
import * as elfnote from '../../abi/constants/elfnote.table.ts';
import * as event from '../../abi/constants/event.table.ts';
import * as grant from '../../abi/constants/grant.table.ts';
import * as hvm from '../../abi/constants/hvm.table.ts';
import * as memory from '../../abi/constants/memory.table.ts';
import * as misc from '../../abi/constants/misc.table.ts';
import * as mmu from '../../abi/constants/mmu.table.ts';
import * as mmuext from '../../abi/constants/mmuext.table.ts';
import * as physdev from '../../abi/constants/physdev.table.ts';
import * as start from '../../abi/constants/start.table.ts';
import * as store from '../../abi/constants/store.table.ts';
import * as vcpu from '../../abi/constants/vcpu.table.ts';
import { errnos } from '../../abi/errno.table.ts';
import { hypercalls } from '../../abi/hypercalls.ts';
import { type Layout, layoutOf, type StructureName } from '../../abi/layout.ts';
import { structures } from '../../abi/structures/all.ts';
import { headStructures } from '../../abi/structures/heads.table.ts';
import { xenHeaders } from './xen-headers.ts';

type Bits = 64 | 32;

/** One thing that the tables state: a C expression and its value. */
interface Statement {
  readonly c: string;
  readonly value: bigint;
}

let folder: string;
let include: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'abi-headers-'));
  include = await xenHeaders();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const headers = [
  'xen.h',
  'arch-x86/xen.h',
  'memory.h',
  'event_channel.h',
  'sched.h',
  'vcpu.h',
  'physdev.h',
  'grant_table.h',
  'callback.h',
  'version.h',
  'features.h',
  'elfnote.h',
  'platform.h',
  'nmi.h',
  'kexec.h',
  'pmu.h',
  'argo.h',
  'hypfs.h',
  'xenoprof.h',
  'domctl.h',
  'sysctl.h',
  'hvm/hvm_op.h',
  'hvm/dm_op.h',
  'hvm/params.h',
  'arch-x86/hvm/start_info.h',
  'arch-x86/xen-mca.h',
  'xsm/flask_op.h',
  'io/ring.h',
  'io/console.h',
  'io/xs_wire.h',
  'io/blkif.h',
  'io/netif.h',
  'io/xenbus.h',
  'errno.h',
];

/** Compiles the expressions into an array of 64-bit numbers and reads it from the object file. */
function evaluate(statements: readonly Statement[], bits: Bits): bigint[] {
  const source = join(folder, `statements${bits}.c`);
  const object = join(folder, `statements${bits}.o`);
  const raw = join(folder, `statements${bits}.bin`);
  writeFileSync(
    source,
    `#include <stdint.h>\n#include <stddef.h>\n#define __XEN_TOOLS__ 1\n${headers.map((header) => `#include <xen/${header}>\n`).join('')}
__attribute__((section(".statements"), used)) const uint64_t statements[] = {\n${statements.map(({ c }) => `  (uint64_t)(int64_t)(${c}),`).join('\n')}\n};\n`,
  );
  execFileSync('gcc', [`-m${bits}`, '-ffreestanding', '-fno-pic', '-w', '-I', include, '-c', '-o', object, source], { stdio: 'pipe' });
  execFileSync('objcopy', ['-O', 'binary', '--only-section=.statements', object, raw]);
  const bytes = readFileSync(raw);
  expect(bytes.length).toBe(statements.length * 8);
  return statements.map((_, i) => bytes.readBigInt64LE(i * 8));
}

function differences(statements: readonly Statement[], bits: Bits): string[] {
  const actual = evaluate(statements, bits);
  return statements.flatMap(({ c, value }, i) =>
    BigInt.asUintN(64, value) === BigInt.asUintN(64, actual[i]!) ? [] : [`${bits}-bit: ${c} is ${actual[i]}, the table says ${value}`],
  );
}

const typedefs = new Set([
  'dom0_vga_console_info',
  'xen_processor_flags',
  'xen_argo_iov',
  'xen_argo_addr',
  'xen_argo_send_addr',
  'xen_argo_ring',
  'xen_argo_register_ring',
  'xen_argo_unregister_ring',
  'xen_argo_ring_data_ent',
  'xen_argo_ring_data',
  'xenoprof_passive',
  'xen_callback',
]);

function cType(layout: Layout): string {
  const { name } = layout;
  if (name === 'xen_processor_flags') return 'struct xen_processor_flags';
  if (typedefs.has(name)) return `${name}_t`;
  return layout.union ? `union ${name}` : `struct ${name}`;
}

/** Size of the structure, and offset and size of every field, nested ones included. */
function layoutStatements(layout: Layout, type: string, partial: boolean): Statement[] {
  const result: Statement[] = partial ? [] : [{ c: `sizeof(${type})`, value: BigInt(layout.size) }];
  const walk = (inner: Layout, path: string, base: number): void => {
    for (const field of inner.fields) {
      const place = `${path}${field.name}`;
      result.push({ c: `offsetof(${type}, ${place})`, value: BigInt(base + field.offset) });
      const flexible = field.type.kind === 'array' && field.type.length === 0;
      if (!flexible) result.push({ c: `sizeof(((${type} *)0)->${place})`, value: BigInt(field.size) });
      if (field.type.kind === 'struct' && field.type.layout.name.includes('.')) walk(field.type.layout, `${place}.`, base + field.offset);
    }
  };
  // Bit fields have no offset.
  if (layout.name !== 'xen_processor_flags') walk(layout, '', 0);
  return result;
}

function structureStatements(bits: Bits): Statement[] {
  return (Object.keys(structures) as StructureName[]).flatMap((name) => {
    const layout = layoutOf(name, bits);
    if (layout.fields.length === 0) return [];
    return layoutStatements(layout, cType(layout), Object.hasOwn(headStructures, name));
  });
}

/** Tables whose keys are no C names of the headers. */
const constantTables: readonly object[] = [
  blockNet,
  domain,
  elfnote,
  event,
  grant,
  hvm,
  memory,
  misc,
  mmu,
  mmuext,
  physdev,
  start,
  store,
  vcpu,
];

/** What the headers define for 64-bit guests only: tables and names. */
const only64 = new Set(['flatSelectors64', 'limits64', 'segmentBases', 'set_segment_base', 'VGCF_in_syscall']);

function constantStatements(bits: Bits): Statement[] {
  const result: Statement[] = [];
  for (const table of constantTables) {
    for (const [exported, constants] of Object.entries(table) as [string, Record<string, number | string>][]) {
      if (bits === 64 ? exported.endsWith('32') : only64.has(exported)) continue;
      for (const [c, value] of Object.entries(constants))
        if (typeof value === 'number' && !(bits === 32 && only64.has(c))) result.push({ c, value: BigInt(value) });
    }
  }
  for (const [c, value] of Object.entries(bits === 64 ? addressSpace.addressSpace64 : addressSpace.addressSpace32)) {
    result.push({ c: bits === 64 ? c : `(uint64_t)${c}`, value });
  }
  return result;
}

function hypercallStatements(bits: Bits): Statement[] {
  const result: Statement[] = [];
  for (const call of hypercalls()) {
    const c = call.name === 'mca' ? '__HYPERVISOR_arch_0' : `__HYPERVISOR_${call.name}`;
    result.push({ c, value: BigInt(call.number) });
    if (bits === 32 && only64.has(call.name)) continue;
    for (const operation of call.operations?.list ?? [])
      result.push({ c: call.operations!.prefix + operation.name, value: BigInt(operation.number) });
  }
  return result;
}

describe.each([64, 32] as const)('the tables agree with the public headers for a %i-bit guest', (bits) => {
  test('every structure size, field offset and field size', () => {
    const statements = structureStatements(bits);
    expect(statements.length).toBeGreaterThan(2300);
    expect(differences(statements, bits)).toEqual([]);
  });

  test('every constant', () => {
    const statements = constantStatements(bits);
    expect(statements.length).toBeGreaterThan(300);
    expect(differences(statements, bits)).toEqual([]);
  });

  test('every hypercall and sub-operation number', () => {
    const statements = hypercallStatements(bits);
    expect(statements.length).toBeGreaterThan(380);
    expect(differences(statements, bits)).toEqual([]);
  });

  test('every errno', () => {
    const statements = errnos.map(({ name, number }) => ({ c: `XEN_${name}`, value: BigInt(number) }));
    expect(statements.length).toBeGreaterThan(45);
    expect(differences(statements, bits)).toEqual([]);
  });
});

test('a wrong number in a table is found', () => {
  expect(differences([{ c: 'offsetof(struct start_info, pt_base)', value: 96n }], 64)).toHaveLength(1);
  expect(differences([{ c: 'VIRQ_TIMER', value: 1n }], 32)).toEqual(['32-bit: VIRQ_TIMER is 0, the table says 1']);
});

test('no hypercall of the headers is missing', () => {
  const text = readFileSync(join(include, 'xen/xen.h'), 'utf8');
  const numbers = [...text.matchAll(/#define __HYPERVISOR_(\w+)\s+(\d+)/g)].map(([, , number]) => Number(number));
  expect(numbers.length).toBeGreaterThan(49);
  const known = new Set(hypercalls().map((call) => call.number));
  expect(numbers.filter((number) => !known.has(number))).toEqual([]);
});

test.each([
  ['EVTCHNOP_', 'event_channel.h', 'event_channel_op'],
  ['SCHEDOP_', 'sched.h', 'sched_op'],
  ['VCPUOP_', 'vcpu.h', 'vcpu_op'],
  ['GNTTABOP_', 'grant_table.h', 'grant_table_op'],
  ['PHYSDEVOP_', 'physdev.h', 'physdev_op'],
  ['XENMEM_', 'memory.h', 'memory_op'],
  ['XENVER_', 'version.h', 'xen_version'],
  ['MMUEXT_', 'xen.h', 'mmuext_op'],
  ['XENPF_', 'platform.h', 'platform_op'],
  ['XENPMU_', 'pmu.h', 'xenpmu_op'],
  ['XENOPROF_', 'xenoprof.h', 'xenoprof_op'],
  ['XEN_DOMCTL_', 'domctl.h', 'domctl'],
  ['XEN_SYSCTL_', 'sysctl.h', 'sysctl'],
  ['XEN_DMOP_', 'hvm/dm_op.h', 'dm_op'],
  ['FLASK_', 'xsm/flask_op.h', 'xsm_op'],
  ['CALLBACKOP_', 'callback.h', 'callback_op'],
] as const)('no operation %s of %s is missing from %s', (prefix, header, name) => {
  const call = hypercalls().find((one) => one.name === name)!;
  const known = new Set(call.operations!.list.map((operation) => operation.name));
  const missing = operationsInHeader(readFileSync(join(include, 'xen', header), 'utf8'), prefix).filter(
    (one) => !known.has(one) && !notOperations.has(prefix + one),
  );
  expect(missing).toEqual([]);
});

/** Names defined at the top level of a header, or in the head of the control structure, as decimal numbers. */
function operationsInHeader(text: string, prefix: string): string[] {
  const control = { XEN_DOMCTL_: 'struct xen_domctl {', XEN_SYSCTL_: 'struct xen_sysctl {' }[prefix];
  const part = control ? text.slice(text.indexOf(control)) : text;
  const found = [...part.matchAll(new RegExp(`^#define ${prefix}(\\w+)\\s+(\\d+)\\b`, 'gm'))].map(([, name]) => name!);
  expect(found.length).toBeGreaterThan(1);
  return found;
}

/** Defined with the same prefix but something else: parameters, sizes, sub-sub-operations, obsolete spellings, Xen's own continuations. */
const notOperations = new Set(
  `EVTCHNOP_reset_cont XEN_DOMCTL_soft_reset_cont XENMEM_paging_op_nominate XENMEM_paging_op_evict XENMEM_paging_op_prep XENMEM_access_op_set_access XENMEM_access_op_get_access
  XENMEM_access_op_set_access_multi XENMEM_sharing_op_nominate_gfn XENMEM_sharing_op_nominate_gref XENMEM_sharing_op_share
  XENMEM_sharing_op_debug_gfn XENMEM_sharing_op_debug_mfn XENMEM_sharing_op_debug_gref XENMEM_sharing_op_add_physmap
  XENMEM_sharing_op_audit XENMEM_sharing_op_range_share XENMEM_sharing_op_fork XENMEM_sharing_op_fork_reset XENMEM_RDM_ALL
  XENMEM_resource_ioreq_server XENMEM_resource_grant_table XENMEM_resource_vmtrace_buf XENMEM_resource_grant_table_id_shared
  XENMEM_resource_grant_table_id_status XENMEM_resource_ioreq_server_frame_bufioreq PHYSDEVOP_DBGP_RESET_PREPARE
  PHYSDEVOP_DBGP_RESET_DONE PHYSDEVOP_DBGP_BUS_UNKNOWN PHYSDEVOP_DBGP_BUS_PCI XENPF_INTERFACE_VERSION XENPF_ACPI_SLEEP_EXTENDED
  XENPMU_VER_MAJ XENPMU_VER_MIN XENPMU_MODE_OFF XENOPROF_CPU_TYPE_SIZE XENOPROF_TRACE_BEGIN XENOPROF_last_op
  XEN_DMOP_IO_RANGE_PORT XEN_DMOP_IO_RANGE_MEMORY XEN_DMOP_IO_RANGE_PCI XEN_DMOP_EVENT_ext_int XEN_DMOP_EVENT_nmi
  XEN_DMOP_EVENT_hw_exc XEN_DMOP_EVENT_sw_int XEN_DMOP_EVENT_pri_sw_exc XEN_DMOP_EVENT_sw_exc XEN_DMOP_MEM_CACHEATTR_UC
  XEN_DMOP_MEM_CACHEATTR_WC XEN_DMOP_MEM_CACHEATTR_WT XEN_DMOP_MEM_CACHEATTR_WP XEN_DMOP_MEM_CACHEATTR_WB XEN_DMOP_MEM_CACHEATTR_UCM`.split(
    /\s+/,
  ),
);
