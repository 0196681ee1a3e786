// Substitutions of the same length that let tree-sitter-c read what kernels write. Offsets stay valid, so no map is needed.

const SUBSTITUTES: Readonly<Record<string, string>> = {
  __volatile: 'volatile  ',
  asm_volatile_goto: 'asm volatile goto',
  asm_inline: 'asm inline',
  __asm_inline: 'asm   inline',
};
/** Annotations behind a macro, which tree-sitter-c takes for a type or a name: Linux's and the BSDs'. Blanked. */
const ANNOTATIONS = [
  ...[
    'init',
    'exit',
    'initdata',
    'initconst',
    'exitdata',
    'ref',
    'refdata',
    'head',
    'cpuinit',
    'devinit',
    'meminit',
    'net_init',
    'net_exit',
    'user',
    'iomem',
    'percpu',
  ],
  ...[
    'rcu',
    'force',
    'kernel',
    'private',
    'bitwise',
    'must_check',
    'maybe_unused',
    'always_unused',
    'unused',
    'used',
    'weak',
    'cold',
    'hot',
    'pure',
    'malloc',
  ],
  ...[
    'deprecated',
    'noreturn',
    'dead',
    'dead2',
    'packed',
    'visible',
    'read_mostly',
    'ro_after_init',
    'always_inline',
    'noclone',
    'noendbr',
    'nocfi',
    'lockfunc',
    'sched',
  ],
].map((name) => `__${name}`);
const WORDS = new RegExp(
  `\\b(?:${[...Object.keys(SUBSTITUTES), ...ANNOTATIONS, 'asmlinkage', 'noinline', 'noinstr', 'notrace'].join('|')})\\b`,
  'g',
);

/** `register long fourth asm("r10") = d;`: the register is no statement, and tree-sitter-c knows it in no declaration with a value. */
const REGISTER_VARIABLE = /(\bregister\b[^;={}()"]{0,200}\b)((?:asm|__asm__|__asm)\s*\(\s*"[^"\n]*"\s*\))/g;

/** A #define with its continued lines, and a comment in it: tree-sitter-c takes the comment for the end of the body. */
const DEFINE = /^[ \t]*#[ \t]*define\b(?:[^\n\\]|\\[\s\S])*/gm;
const COMMENT = /\/\*(?:[^*]|\*(?!\/))*\*\//g;
const blank = (comment: string): string => comment.replace(/[^\\\r\n]|\\(?!\r?\n)/g, ' ');

/** The text that is parsed in place of the file's own; of the same length. */
export const prepass = (text: string): string =>
  (text.includes('/*') ? text.replace(DEFINE, (define) => (define.includes('/*') ? define.replace(COMMENT, blank) : define)) : text)
    .replace(WORDS, (word) => SUBSTITUTES[word] ?? ' '.repeat(word.length))
    .replace(REGISTER_VARIABLE, (_, declaration: string, register: string) => declaration + register.replace(/[^\n]/g, ' '));

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
