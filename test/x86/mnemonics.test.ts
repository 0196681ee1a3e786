// A source line and its machine code are the same row of the table. Oracle: the GNU assembler turns every line into bytes, the decoder
// finds the row of the bytes, findInstruction the row of the text.

import { describe, expect, it } from 'vitest';
import { decodeAny, newDecoded } from '../../x86/decode.ts';
import { candidateRows, findInstruction, PREFIX_NAMES, type Syntax } from '../../x86/mnemonics.ts';
import { classifyOperand } from '../../x86/registers.ts';
import { ROWS } from '../../x86/rows.ts';
import { assemble } from './as.ts';

/** Splits at commas outside brackets. */
const operandsOf = (text: string): string[] => (text.trim() === '' ? [] : text.split(/,(?![^([]*[)\]])/).map((s) => s.trim()));

function find(line: string, syntax: Syntax) {
  const words = line.split(/\s+/);
  while (PREFIX_NAMES.has(words[0]!)) words.shift();
  const name = words.shift()!;
  return findInstruction(
    name,
    operandsOf(words.join(' ')).map((o) => classifyOperand(o, syntax)),
    syntax,
  );
}

const out = newDecoded();

function expectSameRow(lines: string, bits: 64 | 32, syntax: Syntax): void {
  const list = lines
    .trim()
    .split('\n')
    .map((s) => s.trim());
  const code = assemble(list, bits, syntax);
  for (const [i, line] of list.entries()) {
    const bytes = code[i]!;
    const status = decodeAny(bytes, 0, bytes.length, bits, out);
    const where = `${syntax} ${bits}: ${line} (${Buffer.from(bytes).toString('hex')})`;
    expect(status, where).toBe('ok');
    expect(out.length, where).toBe(bytes.length);
    expect(find(line, syntax)?.row.key, where).toBe(ROWS[out.row]!.key);
  }
}

const common = `
  cli\nsti\nhlt\nclts\nlmsw %ax\nsmsw %ax\nlldt %ax\nltr %ax\nsldt %ax\nstr %ax\nlar %ax,%cx\nlsl %ax,%cx\nverr %ax\nverw %ax\nrdmsr\nwrmsr\nrdtsc
  rdtscp\nrdpmc\ncpuid\nwbinvd\nwbnoinvd\ninvd\nmonitor\nmwait\nxsetbv\nxgetbv\nstac\nclac\nsysenter\nsyscall\nint $0x80\nint $3\nint3\nud2\niret\niretl
  outb %al,%dx\noutb %al,$0x20\noutl %eax,(%dx)\ninb $0x60,%al\ninw (%dx),%ax\nin %dx,%eax\ninsb\nrep insl\nrep outsw\noutsb
  movl %eax,%ds\nmovw %ax,%es\nmov %cs,%eax\nmovw %ss,%ax\npush %fs\npop %gs\nlret\nlret $8\nrep movsb\nrep stosl\nlodsb\nrepne scasb\nmovsl\ncmpsw
  movb %al,%cl\nmovzbl %al,%eax\nmovzwl %ax,%ecx\nmovsbl %cl,%eax\nmovswl %ax,%eax\nshl %ecx\nshrl $3,%ecx\nsarl %cl,%edx\nimul $3,%ecx\nimull %ecx,%edx\nimull %ecx
  cmovel %eax,%ecx\ncmovnbe %eax,%ecx\nsetnz %al\njz .\njnae .\ncall foo\njmp foo\nloop .\njecxz .\nlock cmpxchg8b (%esi)\nlock xaddl %eax,(%ecx)\nbswap %eax
  btl $3,%eax\nxchg %eax,%ecx\ncbtw\ncwtl\ncwtd\ncltd\nnop\npause\nlfence\nmfence\nsfence\nfninit\nfldl (%ecx)\nflds (%ecx)\nfstpt (%ecx)\nfildll (%ecx)\nfaddp
  fnstcw (%ecx)\nfnstsw %ax\nmovaps %xmm0,%xmm1\nmovd %eax,%xmm0\nmovsd %xmm0,%xmm1\nmovsd (%ecx),%xmm0\npaddb %mm0,%mm1\nfxsave (%ecx)\nldmxcsr (%ecx)
  ljmp *(%ecx)\nlcall *(%ecx)\nlgdt (%ecx)\nlidt (%ecx)\nsgdt (%ecx)\nsidt (%ecx)\ninvlpg (%ecx)\nlss (%ecx),%eax\nlfs (%ecx),%eax\nlgs (%ecx),%eax\nxlat
  vmcall\nvmlaunch\nvmxoff\nvmrun\nvmmcall\nskinit\nstgi\nrsm\ngetsec\nencls\npconfig\nmovl foo,%eax\nmovl $foo,%eax\nmovb $1,foo\naddl $1,%fs:0x10`;

const long = `${common}
  mov %cr0,%rax\nmovq %cr2,%rax\nmovq %cr3,%rcx\nmov %rax,%cr0\nmov %rcx,%cr2\nmov %rcx,%cr3\nmov %cr4,%rdx\nmov %rdx,%cr4\nmov %cr8,%rax\nmov %rax,%cr8
  mov %db7,%rax\nmov %rax,%dr6\npushfq\npopfq\npushf\npopf\niretq\nlretq\nsysretq\nsysretl\nsysexit\nswapgs\nrdfsbase %rax\nwrgsbase %eax\ninvpcid (%rax),%rcx
  xsaves64 (%rcx)\nxrstors (%rcx)\ncltq\ncqto\nmovslq %eax,%rcx\nmovabs $0x1122334455667788,%rax\nmovabsq %rax,0x1122334455667788\njmp *%rax\ncall *(%rax)
  pushq $5\npopq %r12\npush %rbp\nmovq %rax,%xmm0\nmovq %xmm0,%rax\nmovq %xmm0,%xmm1\nmovq %rax,%rcx\nlock cmpxchg16b (%rsi)\ncmovneq %rax,%rcx\nendbr64
  rdpkru\nwrpkru\nuiret\nsenduipi %rax\nwrmsrns\nhreset $0\nsetssbsy\nwrussq %rax,(%rcx)\nleaq foo(%rip),%rax\nincq (%rax)\nrdsspq %rax`;

const short = `${common}
  mov %cr0,%eax\nmovl %eax,%cr3\nmov %cr4,%eax\nmovl %dr7,%eax\npushfl\npopfl\npushf\npopf\nljmp $8,$foo\nlcall $0x10,$0x1234\npushl %ds\npopl %es\npush %cs\npop %ss
  lds (%ecx),%eax\nles (%ecx),%eax\narpl %ax,%cx\npusha\npopal\ndaa\naam\ninto\nbound %eax,(%ecx)\njmp *%eax\ncall *foo\npushl $5\ninc %eax\nleave\nenter $8,$0\nsysexit`;

const intel = `
  mov rax,cr3\nmov cr0,rax\nmov dr7,rcx\nmov ax,ds\nmov es,ax\npush fs\npop gs\nin al,dx\nout 0x20,al\nout dx,eax\niretq\niretd\npushfq\npopfq\nretf\nretf 8
  jmp rax\ncall [rax]\njmp foo\nlgdt [rax]\ninvlpg [rax]\nint 0x80\nhlt\ncli\nmovsb\nrep movsd\nstosq\nlodsw\nmov eax,[rbx]\nmov qword ptr [rbx],5\nmovzx eax,al
  movsxd rax,ecx\nlea rax,[rip+foo]\nlss eax,[rcx]\nmovsd xmm0,xmm1\nrdmsr\nswapgs\nsysretq\nshl eax,1\nimul eax,ecx,3\nxchg rax,rcx\ncmpxchg [rax],ecx\njne foo`;

describe('a source line names the row that its machine code decodes to', () => {
  it('AT&T, 64-bit', () => expectSameRow(long, 64, 'att'));
  it('AT&T, 32-bit', () => expectSameRow(short, 32, 'att'));
  it('Intel, 64-bit', () => expectSameRow(intel, 64, 'intel'));
  it('Intel, 32-bit', () =>
    expectSameRow('mov eax,cr0\nmov cr3,eax\nles eax,[ecx]\npushfd\npopad\njmp far ptr [ecx]\ncall fword ptr [ecx]', 32, 'intel'));
});

describe('what Xen does depends on the register', () => {
  const rule = (line: string, syntax: Syntax = 'att') => find(line, syntax)?.xen?.rule;
  it.each([
    ['mov %cr0,%rax', 'mov-cr0'],
    ['mov %rax,%cr0', 'mov-cr0'],
    ['mov %cr2,%rax', 'mov-from-cr2'],
    ['mov %rax,%cr2', 'mov-to-cr2'],
    ['mov %cr3,%rax', 'mov-from-cr3'],
    ['movl %eax,%cr3', 'mov-to-cr3'],
    ['mov %cr4,%rax', 'mov-cr4'],
    ['mov %rax,%cr8', 'mov-cr8'],
    ['mov %db6,%rax', 'mov-dr'],
  ])('%s is %s', (line, expected) => expect(rule(line)).toBe(expected));
  it('a control register that does not exist has no rule', () => expect(rule('mov %cr5,%rax')).toBeUndefined());
  it('in Intel syntax the destination comes first', () => expect(rule('mov cr3, rax', 'intel')).toBe('mov-to-cr3'));
});

describe('operands that the text does not show', () => {
  const key = (line: string) => find(line, 'att')?.row.key;
  it('an inline asm operand next to a control register still is a control register move', () =>
    expect(key('mov %0,%cr3')).toBe('mov-to-cr'));
  it('a macro argument alone proves nothing', () =>
    expect([key('mov \\a,\\b'), key('push \\reg'), key('pop \\reg')]).toEqual(['mov', 'push', 'pop']));
  it('a name that no assembler knows is no instruction', () => expect(candidateRows('frobnicate', 'att')).toEqual([]));
  it('capital letters do not matter', () => expect(find('CLI', 'att')?.xen?.rule).toBe('cli'));
});
