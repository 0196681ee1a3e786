// x86 assembly as GNU as and the C preprocessor read it: AT&T and .intel_syntax, .macro bodies, the text of inline asm templates.
// A grammar of statements: it splits a source into labels, instructions, directives and operands and never needs to know a mnemonic.
// What an operand means depends on the dialect and is decided above the grammar (server/syntax/gas/operand.ts).

const PREFIXES = [
  'lock',
  'rep',
  'repe',
  'repne',
  'repz',
  'repnz',
  'data16',
  'data32',
  'addr16',
  'addr32',
  'rex',
  'rex64',
  'rex.w',
  'notrack',
  'xacquire',
  'xrelease',
  'bnd',
];

// The rest of a preprocessor line: continued by a backslash, and a block comment in it may span lines.
const CPP_REST = /([^\n\\/]|\\(\r?\n|.)|\/[^*\n]|\/\*([^*]|\*+[^*/])*\*+\/)*/;
const cpp = (words) => token(prec(5, seq(/#[ \t]*/, words, CPP_REST)));

export default grammar({
  name: 'gas',
  extras: ($) => [/[ \t\r\f\v\uFEFF]+/, /\\[ \t]*\r?\n/, $.comment],
  word: ($) => $.name,
  rules: {
    source: ($) => repeat(choice($._statement, $._end, $.cpp_define, $.cpp_include, $.cpp_directive)),

    _end: () => token(choice('\n', ';')),
    _statement: ($) => seq(choice(seq(repeat1($.label), optional($._body)), $._body), $._end),
    _body: ($) => choice($.instruction, $.directive, $.assignment),

    label: ($) => prec(2, seq(field('name', choice($.name, $.integer, $.macro_call, $.pasted_name, $.string)), token.immediate(':'))),

    instruction: ($) =>
      choice(
        prec.right(repeat1($.prefix)),
        seq(repeat($.prefix), field('mnemonic', choice($.name, $.pasted_name)), optional($.operands)),
        // A macro of the preprocessor that stands for a statement: ENTRY(start), SAVE_ALL(%rax), "ASM_CLAC movl …" is an instruction.
        prec(2, seq(field('macro', $.macro_call), optional($.operands))),
      ),
    prefix: () => choice(...PREFIXES),
    directive: ($) => seq(field('name', $.directive_name), optional($.operands)),
    assignment: ($) => prec(1, seq(field('name', choice($.name, $.directive_name, $.pasted_name, '.')), choice('=', '=='), $._tokens)),

    operands: ($) => prec.right(repeat1(choice(',', $.operand))),
    operand: ($) => $._tokens,
    _tokens: ($) => prec.right(repeat1($._token)),
    _token: ($) =>
      choice(
        $.macro_call,
        $.name,
        $.pasted_name,
        $.directive_name,
        $.register,
        $.template_operand,
        $.immediate,
        $.integer,
        $.string,
        $.character,
        $.parenthesized,
        $.bracketed,
        $.braced,
        $.operator,
        $.prefix,
        ':',
        '=',
        '.',
      ),
    macro_call: ($) =>
      prec(3, seq(field('function', choice($.name, $.pasted_name)), token.immediate('('), repeat(choice($._token, ',', ';', /\n/)), ')')),
    parenthesized: ($) => seq('(', repeat(choice($._token, ',')), ')'),
    bracketed: ($) => seq('[', repeat(choice($._token, ',')), ']'),
    braced: ($) => seq('{', repeat(choice($._token, ',')), '}'),
    immediate: ($) =>
      prec.left(
        seq(
          '$',
          optional(choice('~', '-', '!', '+')),
          choice($.integer, $.name, $.macro_call, $.parenthesized, $.character, $.directive_name, $.pasted_name, $.template_operand, '.'),
        ),
      ),

    register: () => /%[A-Za-z_\\][A-Za-z0-9_\\]*(\([0-7]\))?|%%?[0-9]/,
    // %0, %b1, %[name] of an inline asm template, after the pre-pass has put U+E001 for their percent sign.
    template_operand: () => /\uE001[a-zA-Z]?([0-9]+|\[[A-Za-z_][A-Za-z0-9_]*\])/,
    integer: () => /0[xX][0-9a-fA-F]+[uUlL]*|[0-9][0-9a-zA-Z]*(\.[0-9]+)?/,
    name: () => /[A-Za-z_][A-Za-z0-9_.$]*/,
    // A name with macro arguments or pastes in it: \reg, \name\()_end, mov\suffix, L##x, 1\@.
    pasted_name: () => /[A-Za-z0-9_.$]*(\\([A-Za-z0-9_]+|@|\+|\(\))|##)([A-Za-z0-9_.$]|\\([A-Za-z0-9_]+|@|\+|\(\))|##)*/,
    directive_name: () => /\.[A-Za-z_][A-Za-z0-9_.$]*/,
    string: () => /"(\\(.|\n)|[^"\\\n])*"/,
    character: () => /'(\\.|[^'\\\n])'?/,
    operator: () => /[-+*/|&^~<>!@%#?]|<<|>>|!=|&&|\|\|/,

    cpp_define: () => cpp('define'),
    cpp_include: () => cpp(/include(_next)?|import/),
    cpp_directive: () => cpp(/undef|if|ifdef|ifndef|else|elif|endif|error|warning|pragma|line|ident/),
    comment: () => token(choice(/\/\*([^*]|\*+[^*/])*\*+\//, /\/\/[^\n]*/, /#[^\n]*/)),
  },
});
