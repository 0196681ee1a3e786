// Third-party notices: the licence texts of every npm package that ends up in a bundle or beside it.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './steps.mjs';

/** `node_modules/@scope/name` of an input path, or null for our own files. The innermost package counts. */
export function packageOf(path) {
  const match = /^(?:.*\/)?(node_modules\/(?:@[^/]+\/)?[^/]+)/.exec(path.replaceAll('\\', '/'));
  return match ? path.slice(0, match[0].length) : null;
}

/** Throws when a bundled package has no licence that can be shown: it may not ship. */
export function noticesOf(folders) {
  const sections = [...new Set(folders)].sort().map((folder) => {
    const manifest = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
    const file = readdirSync(join(root, folder)).find((name) => /^(licen[cs]e|copying)(\.|$)/i.test(name));
    const text = file && existsSync(join(root, folder, file)) ? readFileSync(join(root, folder, file), 'utf8').trim() : null;
    if (text === null && !manifest.license) throw new Error(`${manifest.name} states no licence; it cannot be packaged.`);
    return `${manifest.name} ${manifest.version} (${manifest.license ?? 'see below'})\n${'-'.repeat(72)}\n${text ?? `Licensed under ${manifest.license}; the package ships no text of its own.`}\n`;
  });
  return `Hyperport contains code of these packages.\n\n${sections.join('\n\n')}`;
}
