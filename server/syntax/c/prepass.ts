// Substitutions of the same length that let tree-sitter-c read what kernels write. Offsets stay valid, so no map is needed.

const SUBSTITUTES: Readonly<Record<string, string>> = {
  __volatile: 'volatile  ',
  asm_volatile_goto: 'asm volatile goto',
  asm_inline: 'asm inline',
  __asm_inline: 'asm   inline',
};
const WORDS = new RegExp(`\\b(?:${Object.keys(SUBSTITUTES).join('|')})\\b`, 'g');

/** The text that is parsed in place of the file's own; of the same length. */
export const prepass = (text: string): string => text.replace(WORDS, (word) => SUBSTITUTES[word]!);

/**
 * A macro body as code: continuations become blanks, `#x` becomes ` x`, `a ## b` one name. Of the same length.
 * A comment at the end of a line would swallow what the continuation joins to it, so it is blanked.
 */
export function macroBody(body: string): string {
  return body
    .replace(/\/\/[^\n]*?(?=\\\r?\n)/g, (comment) => ' '.repeat(comment.length))
    .replace(/\\[ \t]*\r?\n/g, (joint) => ' '.repeat(joint.length))
    .replace(/"(?:\\.|[^"\\])*"|\s*##\s*|#(?=\s*[A-Za-z_])/g, (found) =>
      found.startsWith('"') ? found : found.includes('##') ? '_'.repeat(found.length) : ' ',
    );
}
