// Applies quick fixes to a text, as an editor does.

import type { Fix } from '../../server/analysis/finding.ts';

export const applyFix = (text: string, fix: Fix): string =>
  [...fix.edits]
    .sort((a, b) => b.start - a.start)
    .reduce((result, { start, end, text: inserted }) => result.slice(0, start) + inserted + result.slice(end), text);
