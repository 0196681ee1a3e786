// Object-like macros of a C or preprocessed assembly file that other parts need: constants and string literals. Read by lines, without a tree.

export interface Macros {
  readonly strings: ReadonlyMap<string, string>;
  readonly constants: ReadonlyMap<string, string>;
}

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
  return { strings, constants };
}
