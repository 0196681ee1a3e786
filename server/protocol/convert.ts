// Between the analysis' offsets and the protocol's positions. Both count UTF-16 units.

import {
  type CodeDescription,
  type Diagnostic,
  type DiagnosticRelatedInformation,
  DiagnosticSeverity,
  type Range,
  type TextEdit,
} from 'vscode-languageserver';
import type { Finding, Related, Severity, TextEdit as SourceEdit, Warning } from '../analysis/finding.ts';
import type { LineIndex } from '../syntax/lines.ts';

export function rangeOf(lines: LineIndex, start: number, end: number): Range {
  const from = lines.position(start);
  const to = lines.position(end);
  return { start: { line: from.line, character: from.column }, end: { line: to.line, character: to.column } };
}

const SEVERITIES: Readonly<Record<Severity, DiagnosticSeverity>> = {
  silent: DiagnosticSeverity.Error,
  fault: DiagnosticSeverity.Error,
  emulated: DiagnosticSeverity.Warning,
  idiom: DiagnosticSeverity.Information,
};

/** `ruleLink`: what stands before a rule id in links to its page; empty: no links. */
export function diagnosticOf(lines: LineIndex, finding: Finding, ruleLink: string): Diagnostic {
  const related = (finding.related ?? []).filter(({ path }) => /^[a-z][\w+.-]*:/i.test(path));
  const { rule, severity, instruction, message, replacement } = finding;
  const codeDescription: { codeDescription?: CodeDescription } = ruleLink ? { codeDescription: { href: ruleLink + rule } } : {};
  return {
    range: rangeOf(lines, finding.start, finding.end),
    severity: SEVERITIES[severity],
    source: 'hyperport',
    code: rule,
    ...codeDescription,
    message: `${message}\nInstead: ${replacement}`,
    data: { rule, severity, instruction },
    ...(related.length > 0 ? { relatedInformation: related.map(relatedOf) } : {}),
  };
}

/** The column of a definition is not kept, so the whole line is shown. */
const relatedOf = ({ path, line, message }: Related): DiagnosticRelatedInformation => ({
  location: { uri: path, range: { start: { line: line - 1, character: 0 }, end: { line, character: 0 } } },
  message,
});

export const warningDiagnostic = (lines: LineIndex, { start, end, message }: Warning): Diagnostic => ({
  range: rangeOf(lines, start, end),
  severity: DiagnosticSeverity.Hint,
  source: 'hyperport',
  code: 'parse',
  message,
});

export const editOf = (lines: LineIndex, { start, end, text }: SourceEdit): TextEdit => ({
  range: rangeOf(lines, start, end),
  newText: text,
});
