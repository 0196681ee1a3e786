// Lines of Xen 4.17's that need no explanation: its start, its progress, heads and ends of dumps.

const PLAIN: readonly RegExp[] = [
  /^\s*(Xen version|Latest ChangeSet|build-id|Bootloader|Command line|Xen image load base|New Xen image base|Video information|No VGA|Disc information|EFI RAM map|Xen-e820 RAM map|Multiboot-e820|System RAM|ACPI|Domain heap|Xen heap|Detected|Processor #|Brought up|I\/O virtualisation|Scrubbing|Std\. Loglevel|Guest Loglevel|Freed \d+kB|Initial low memory|\*\*\* Building a PV|\*\*\* LOADING|Dom0 has maximum|has maximum \d+ PIRQs|\*\*\* Serial input|'.' pressed|General-purpose|Xen {2}kernel|Dom0 (kernel|symbol|alloc)|ELF: |PHYSICAL MEMORY|VIRTUAL MEMORY|(Xen|DMA|Dom) heap|heap\[)/,
  /^\s*([[]?[0-9a-f]{8,16}[-, ]|Loaded kernel|Init\. ramdisk|Phys-Mach map|Start info|Xenstore ring|Console ring|Page tables|Boot stack|TOTAL|ENTRY ADDRESS|VGA is|Found \d|EDD |VBE|TSC|CPU\d|CPU Vendor|IRQ|ENABLING|Enabling APIC|Using|Platform|Allocated|mwait|CPUIDLE|x86 PAT|MTRR|HVM|SVM|VMX|NX|Speculative|Xen settings|Support for|PV L1TF|XPTI|alt table|Adding cpu|Hardware|Compiled-in|Unknown|xstate|Running stub|Parked|build|ns16550|Symbol|Live patch|\.{3}|\.\.TIMER|\d\.\.\. ?)/,
  // The start of a machine: NUMA, firmware tables, the scheduler's settings, self tests.
  /^\s*(No NUMA|Faking a node|found SMP MP-table|DMI \d|IOAPIC\[\d|SMP: |SMP alternatives|Microcode loading|No SSBD|nr_sockets|-> Using new ACK|- none|Initializing \S+ scheduler|load_precision_shift|load_window_shift|(under|over)load_balance_tolerance|runqueues arrangement|cap enforcement|load tracking window|Scheduling granularity|First cpu on runqueue|mcheck_poll|MCA|Selftest \d|PCI (?:add|remove) device|Boot video|Failed to enable|BSP microcode|Unrecognised CPU|- Nested Page|xenoprof: Init|Enabled|Disabled|Not enabling)/,
  // The debug key i: which interrupt of the machine goes where.
  /^\s*(Direct vector information|0x[0-9a-f]{2} -> \w+|IO-APIC interrupt information|Apic 0x[0-9a-f]+, Pin)/,
  /^-{2,}\[ Xen-/,
  /^CPU:\s+\d+/,
  /^\*{3,}/,
  /^\*\*\* Dumping /,
  /^\s*$/,
  /^(Xen stack trace|Shared frames|Notifying guest|grant_table|SELFTEST)/,
];

export const isPlain = (text: string): boolean => PLAIN.some((expression) => expression.test(text));
