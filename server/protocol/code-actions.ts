// Quick fixes as code actions, with their edits. Both faces of one fix (cli and hlt of one statement) give one action.

import { type CodeAction, CodeActionKind, type CodeActionParams } from 'vscode-languageserver';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import type { Finding } from '../analysis/finding.ts';
import { findingsOf } from '../analysis/findings.ts';
import { fixesFor } from '../fixes/fixes.ts';
import { diagnosticOf, editOf } from './convert.ts';
import type { OpenAnalysis } from './documents.ts';

export function codeActions(
  params: CodeActionParams,
  document: TextDocument,
  { source }: OpenAnalysis,
  ruleLink: string,
  versioned: boolean,
): CodeAction[] {
  const { only } = params.context;
  if (only && !only.some((kind) => kind === '' || CodeActionKind.QuickFix === kind || CodeActionKind.QuickFix.startsWith(`${kind}.`)))
    return [];
  const start = document.offsetAt(params.range.start);
  const end = document.offsetAt(params.range.end);
  const sites = source.sites.filter((site) => site.start <= end && site.end >= start);
  const touched = findingsOf(sites, source.macros.constants, source.text, (site, subject) => fixesFor(source, site, subject)).filter(
    (finding) => finding.start <= end && finding.end >= start,
  );
  const actions = new Map<string, { finding: Finding; action: CodeAction }>();
  for (const finding of touched) {
    for (const fix of finding.fixes) {
      const key = JSON.stringify(fix);
      const diagnostic = diagnosticOf(source.lines, finding, ruleLink);
      const known = actions.get(key);
      if (known) known.action.diagnostics!.push(diagnostic);
      else {
        const edits = fix.edits.map((edit) => editOf(source.lines, edit));
        const action: CodeAction = {
          title: fix.title,
          kind: CodeActionKind.QuickFix,
          diagnostics: [diagnostic],
          isPreferred: true,
          edit: versioned
            ? { documentChanges: [{ textDocument: { uri: document.uri, version: document.version }, edits }] }
            : { changes: { [document.uri]: edits } },
        };
        actions.set(key, { finding, action });
      }
    }
  }
  return [...actions.values()].map(({ action }) => action);
}
