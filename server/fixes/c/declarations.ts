// What fixes have to know of the declarations of a C file: members of the structures behind a variable. Read from the text.

const STRUCT = /\bstruct\s+(?:__attribute__\s*\(\([^)]*\)+\s*)?(?:__packed\s+)?(\w+)?\s*\{([^{}]*)\}\s*([^;{}]*);/g;

export interface Structure {
  /** `struct tag` or a typedef's name; variables that are declared with the structure itself. */
  readonly names: readonly string[];
  readonly variables: readonly string[];
  readonly members: readonly { readonly name: string; readonly type: string; readonly array: boolean }[];
}

/** All structures without nested ones. */
export function structuresOf(text: string): Structure[] {
  return [...text.matchAll(STRUCT)].map((match) => {
    const after = match[3]!
      .replace(/__attribute__\s*\(\(.*?\)\)/g, '')
      .replace(/\b__(packed|aligned)\b(\(\w+\))?/g, '')
      .replace(/=.*$/s, '')
      .trim();
    const isTypedef = /\btypedef\s+$/.test(text.slice(Math.max(0, match.index - 40), match.index));
    const declared = after
      .split(',')
      .map((name) => name.replace(/[*\s]|\[.*\]/g, ''))
      .filter((name) => /^\w+$/.test(name));
    return {
      names: [...(match[1] ? [`struct ${match[1]}`] : []), ...(isTypedef ? declared : [])],
      variables: isTypedef ? [] : declared,
      members: membersOf(match[2]!),
    };
  });
}

function membersOf(body: string): Structure['members'] {
  return body
    .replace(/\/\*.*?\*\/|\/\/[^\n]*/gs, '')
    .split(';')
    .flatMap((declaration) => {
      const match = /^\s*((?:[\w]+\s+)+\**)\s*(.+)$/s.exec(declaration.replace(/__attribute__\s*\(\(.*?\)\)|\b__packed\b/g, '').trim());
      if (!match) return [];
      return match[2]!.split(',').flatMap((name) => {
        const plain = /^\s*\**\s*(\w+)\s*(\[[^\]]*\])?/.exec(name);
        return plain ? [{ name: plain[1]!, type: match[1]!.trim(), array: plain[2] !== undefined }] : [];
      });
    });
}

/** The structure of a variable (or of what a pointer variable points to), or null. */
export function structureOf(text: string, variable: string): Structure | null {
  const structures = structuresOf(text);
  const own = structures.find(({ variables }) => variables.includes(variable));
  if (own) return own;
  const declared = new RegExp(
    `\\b(struct\\s+\\w+|\\w+)\\s+(?:[\\w\\s*,\\[\\]]{0,200}?[\\s*,])??\\*?${variable}\\b(?!\\s*(?:\\(|->|\\.))`,
    'g',
  );
  for (const match of text.replace(/\b(static|extern|const|volatile)\b/g, '').matchAll(declared)) {
    const type = match[1]!.replace(/\s+/g, ' ');
    const found = structures.find(({ names }) => names.includes(type));
    if (found) return found;
  }
  return null;
}

/** A global variable of one of these types that is no pointer. */
export function variableOf(text: string, structure: Structure): string | null {
  if (structure.variables[0]) return structure.variables[0];
  for (const name of structure.names) {
    const declaration = new RegExp(
      `^(?:static\\s+|extern\\s+)*${name.replace(' ', '\\s+')}\\s+(?:__\\w+(?:\\([^)]*\\))*\\s+)?(\\w+)\\s*(?:__\\w+[^;=]*)?[;=]`,
      'm',
    ).exec(text);
    if (declaration) return declaration[1]!;
  }
  return null;
}
