// evaluate: expressions over registers, symbols, variables and memory; `x/8gx addr` in the Debug Console.

import type { DebugProtocol } from '@vscode/debugprotocol';
import { UserError } from '../../host/errors.ts';
import { bytesOf, type Examine, parseExamine, showMemory } from '../../host/expression/examine.ts';
import { guestText } from '../../host/expression/guest-evaluator.ts';
import { evaluateOnGuest, type GuestScope, type GuestValue, numberOf } from '../../host/expression/guest-value.ts';
import { parseExpression } from '../../host/expression/parser.ts';
import { wholeRegister } from '../../host/expression/register-names.ts';
import type { RegisterName } from '../../host/machine-host.ts';
import { hex } from '../../host/numbers.ts';
import { stripAliases } from '../../image/dwarf/types.ts';
import { assignRegister, assignValue } from '../assignment.ts';
import { Disassembler } from '../disassembler.ts';
import { decodedRegister } from '../flags.ts';
import type { Answer, Family } from '../handler.ts';
import { valueVariable } from '../scopes.ts';
import type { Session } from '../session.ts';

type Body = DebugProtocol.EvaluateResponse['body'];

/** A typed number (cast, pointer arithmetic) is shown as its type shows it. */
function typedNumber(session: Session, scope: GuestScope, value: GuestValue & { kind: 'number' }, expression: string): Body {
  const { type, number } = value;
  const { symbolizer } = scope.symbols;
  const plain = type && stripAliases(type);
  const symbol = number > 0xfffn ? symbolizer.symbolText(BigInt.asUintN(64, number)) : undefined;
  if (plain?.kind === 'pointer' && type) {
    const result = `${hex(number)}${symbol ? ` <${symbol}>` : ''}`;
    const target = plain.target();
    const open = stripAliases(target).kind !== 'void' && stripAliases(target).kind !== 'function' && number !== 0n;
    const memory = (address: bigint, length: number): Uint8Array => session.host.read(scope.vcpu, address, length);
    const child = { children: () => [valueVariable(session, symbolizer.valueAt('*', target, number, memory), `*(${expression})`)] };
    return { result, type: type.name, variablesReference: open ? session.references.add(child) : 0, memoryReference: hex(number) };
  }
  const memory = number >= 0x1000n ? { memoryReference: hex(number) } : {};
  return {
    result: `${guestText(value)}${symbol ? ` <${symbol}>` : ''}`,
    ...(type ? { type: type.name } : {}),
    variablesReference: 0,
    ...memory,
  };
}

function plain(session: Session, text: string, scope: GuestScope): Body {
  const expression = parseExpression(text);
  const value = evaluateOnGuest(expression, scope);
  if (value.kind === 'object') {
    const { name: _, value: result, ...rest } = valueVariable(session, value.value, text);
    return { result, ...rest };
  }
  const register = expression.kind === 'register' || expression.kind === 'name' ? expression.name : '';
  if (['rflags', 'cr0', 'cr4'].includes(register)) return { result: decodedRegister(register, value.number), variablesReference: 0 };
  return typedNumber(session, scope, value, text);
}

async function examine(session: Session, command: Examine, scope: GuestScope): Promise<Body> {
  const { host } = session;
  const address = BigInt.asUintN(host.machine.bits, numberOf(evaluateOnGuest(command.address, scope), 'The address'));
  const symbol = (at: bigint): string | null => scope.symbols.nameAt(at);
  if (command.format === 'i') {
    const syntax = session.configuration?.disassembly ?? 'att';
    const disassembler = await Disassembler.open(host.machine.bits, syntax, (at, length) => host.read(scope.vcpu, at, length), symbol);
    const rows = disassembler.forward(address, command.count).map((row) => {
      const name = symbol(row.address);
      return `${hex(row.address)}${name === null ? '' : ` <${name}>`}:  ${row.text}`;
    });
    return { result: rows.join('\n'), variablesReference: 0, memoryReference: hex(address) };
  }
  const bytes = host.read(scope.vcpu, address, bytesOf(command));
  return { result: showMemory(command, address, bytes, symbol), variablesReference: 0, memoryReference: hex(address) };
}

/** Sets a register or a variable that is in memory, and shows it as it is then. */
function setExpression(session: Session, args: DebugProtocol.SetExpressionArguments): DebugProtocol.SetExpressionResponse['body'] {
  const { host } = session;
  host.mustBeStopped();
  const scope = session.frames.scopeOf(host, args.frameId);
  const target = parseExpression(args.expression);
  const register = target.kind === 'register' ? target.name : null;
  if (register !== null) {
    if (scope.frame && scope.frame.level > 0) throw new UserError('Registers can be set in the innermost frame only.');
    const whole = wholeRegister({ ...host.machine.registers(scope.vcpu) }, register, host.machine.bits);
    if (whole === null) throw new UserError(`'$${register}' is no register that can be set; set a register as a whole, as in $rax.`);
    assignRegister(host, scope.vcpu, whole as RegisterName, args.value, scope);
  } else {
    const value = evaluateOnGuest(target, scope);
    if (value.kind === 'number') throw new UserError(`'${args.expression}' is a number, not something that can be set.`);
    assignValue(host, scope.vcpu, value.value, args.value, scope);
  }
  const { result, type, variablesReference } = plain(session, args.expression, scope);
  return { value: result, ...(type === undefined ? {} : { type }), variablesReference };
}

export const evaluateRequests: Family = {
  setExpression: (session, args: DebugProtocol.SetExpressionArguments): Answer<DebugProtocol.SetExpressionResponse['body']> => ({
    body: setExpression(session, args),
    after: () => session.edited(),
  }),
  evaluate: async (session, args: DebugProtocol.EvaluateArguments): Promise<Answer<Body>> => {
    if (session.host.run.state === 'running') session.host.mustBeStopped();
    const scope = session.frames.scopeOf(session.host, args.frameId);
    const command = args.context === 'hover' ? null : parseExamine(args.expression);
    return { body: command ? await examine(session, command, scope) : plain(session, args.expression, scope) };
  },
};
