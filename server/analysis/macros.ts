// Object-like macros of a C or preprocessed assembly file that other parts need: constants and string literals. Read by lines, without a tree.

import type { MacroText } from '../syntax/c/expand.ts';

export interface Macros {
  readonly strings: ReadonlyMap<string, string>;
  readonly constants: ReadonlyMap<string, string>;
  /** Any other macro with a string in its body, or one that makes a string: parts of asm templates. */
  readonly templates: ReadonlyMap<string, MacroText>;
}

const TEMPLATE = /^[ \t]*#[ \t]*define[ \t]+([A-Za-z_]\w*)(?:\(([^)\n]{0,300})\))?((?:[^\n\\]|\\\r?\n|\\.){1,4000})$/gm;

const DEFINE = /^[ \t]*#[ \t]*define[ \t]+([A-Za-z_]\w*)[ \t]+((?:[^\n\\]|\\\r?\n|\\.){1,400})$/gm;

export function readMacros(text: string): Macros {
  const strings = new Map<string, string>();
  const constants = new Map<string, string>();
  for (const [, name, raw] of text.matchAll(DEFINE)) {
    const body = raw!
      .replace(/\/\*.*?\*\/|\/\/.*$/gs, ' ')
      .replace(/\\\r?\n/g, ' ')
      .trim();
    if (/^("(?:[^"\\]|\\.)*"\s*)+$/.test(body)) strings.set(name!, body);
    else if (/^[\w\s()+\-*|&<>]+$/.test(body)) constants.set(name!, body);
  }
  const templates = new Map<string, MacroText>();
  for (const [, name, params, body] of text.matchAll(TEMPLATE)) {
    if (!/["#]|^\s*\w+\s*(?:\(|$)/.test(body!) || strings.has(name!)) continue;
    templates.set(name!, { params: params === undefined ? null : params.split(',').map((each) => each.trim()), body: body! });
  }
  return { strings, constants, templates };
}
