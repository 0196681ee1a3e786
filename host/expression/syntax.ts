// The tree of an expression: C's operators without side effects. Used over trace records (breakpoint conditions) and over
// the guest's registers and memory (watches).

export type UnaryOperator = '-' | '+' | '~' | '!' | '*' | '&';
export type BinaryOperator =
  | '*'
  | '/'
  | '%'
  | '+'
  | '-'
  | '<<'
  | '>>'
  | '<'
  | '<='
  | '>'
  | '>='
  | '=='
  | '!='
  | '&'
  | '^'
  | '|'
  | '&&'
  | '||';

/** A type as a cast names it: `struct page *` is base 'struct page', pointers 1. */
export interface TypeName {
  readonly base: string;
  readonly pointers: number;
}

export type Expression =
  | { readonly kind: 'number'; readonly value: bigint }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'register'; readonly name: string }
  | { readonly kind: 'member'; readonly object: Expression; readonly name: string; readonly arrow: boolean }
  | { readonly kind: 'index'; readonly object: Expression; readonly index: Expression }
  | { readonly kind: 'unary'; readonly operator: UnaryOperator; readonly operand: Expression }
  | { readonly kind: 'binary'; readonly operator: BinaryOperator; readonly left: Expression; readonly right: Expression }
  | { readonly kind: 'conditional'; readonly test: Expression; readonly then: Expression; readonly otherwise: Expression }
  | { readonly kind: 'cast'; readonly type: TypeName; readonly operand: Expression }
  | { readonly kind: 'sizeof'; readonly operand: Expression | TypeName };

/** The names that an expression reads: to find out whether a condition needs `ret`. */
export function namesOf(expression: Expression, found = new Set<string>()): Set<string> {
  switch (expression.kind) {
    case 'name':
      found.add(expression.name);
      break;
    case 'member':
      namesOf(expression.object, found);
      break;
    case 'index':
      namesOf(expression.object, found);
      namesOf(expression.index, found);
      break;
    case 'unary':
    case 'cast':
      namesOf(expression.operand, found);
      break;
    case 'binary':
      namesOf(expression.left, found);
      namesOf(expression.right, found);
      break;
    case 'conditional':
      namesOf(expression.test, found);
      namesOf(expression.then, found);
      namesOf(expression.otherwise, found);
      break;
    case 'sizeof':
      if ('kind' in expression.operand) namesOf(expression.operand, found);
      break;
    case 'number':
    case 'string':
    case 'register':
      break;
  }
  return found;
}
