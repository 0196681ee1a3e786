// What an explanation of a log consists of: one note for each thing that was recognized, in the order of the log.

/** A value of the log in words. */
export interface LogFact {
  /** What it is: 'mfn', 'rip', 'error code'. */
  readonly name: string;
  /** As the log has it. */
  readonly value: string;
  readonly means: string;
}

export type NoteKind =
  | 'message'
  | 'exception'
  | 'crash'
  | 'registers'
  | 'page-walk'
  | 'stack'
  | 'call-trace'
  | 'event-channels'
  | 'grants'
  | 'domain'
  | 'run-queues'
  | 'memory'
  | 'kernel-layout'
  | 'other';

export interface LogNote {
  readonly kind: NoteKind;
  /** First and last line of it in the text, 1-based. */
  readonly line: number;
  readonly lastLine: number;
  /** The first line without its prefix. */
  readonly text: string;
  /** What it says, in one or two sentences. */
  readonly says: string;
  readonly facts: readonly LogFact[];
  /** What to do. */
  readonly advice?: string;
  /** Id of a rule with a page that tells more. */
  readonly rule?: string;
  /** Where this concerns source code of the user's kernel: innermost first. */
  readonly frames?: readonly LogFrame[];
}

/** A place in the user's kernel. */
export interface LogFrame {
  readonly address: string;
  readonly function: string;
  readonly file?: string;
  readonly line?: number;
  /** Found by unwinding, the place itself, or only a word on the stack that looks like a return address. */
  readonly certainty: 'exact' | 'unwound' | 'guess';
}

export interface UnreadLine {
  readonly line: number;
  readonly text: string;
}

export interface LogExplanation {
  /** What happened, the most important first; empty when nothing was recognized. */
  readonly summary: readonly string[];
  readonly notes: readonly LogNote[];
  /** Lines of Xen's that nothing here can explain. */
  readonly unread: readonly UnreadLine[];
  /** What could not be done: no kernel for addresses, a kernel that does not fit. */
  readonly remarks: readonly string[];
}

/** One line of the log as the readers see it. */
export interface LogLine {
  /** 1-based. */
  readonly number: number;
  /** Without '(XEN) ', time, source file and vCPU; spaces at the start are kept. */
  readonly text: string;
  /** Without '(XEN) ' and time only. */
  readonly raw: string;
  /** Marked as Xen's own, '(XEN)'. */
  readonly isXen: boolean;
  /** 'arch/x86/mm.c:2940'. */
  readonly source?: string;
  /** Domain and vCPU that Xen was working for: 'd0v0', 'd16'. */
  readonly subject?: string;
}
