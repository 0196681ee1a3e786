// Programs for tier 1 against tier 0: what a region may not get wrong. Code on several pages, calls that are taken in and calls that
// are not, indirect and recursive ones, loops within loops, code that changes itself and its neighbours, faults in the middle.

/** 64-bit; code pages from 0x400000, data pages from 0x10000000, of which some are not mapped at first. */
export const REGIONS_64 = `
  mov rbp, 0x10000000
  mov r15d, 99
  lea r12, [rip + table]
again:
  imul r15d, r15d, 1103515245
  add r15d, 12345
  mov eax, r15d
  shr eax, 20
  and eax, 0x1fff8
  add [rbp + rax], r15                 # any of 32 pages: misses, faults, page borders
  mov ecx, 11
1:mov edx, 5
2:call leaf
  test dl, 1
  jz 3f
  call other_page
3:dec edx
  jnz 2b
  movzx ebx, byte ptr [rbp + rcx*8]
  cmp bx, 100
  setb bh
  cmovae ebx, r15d
  sar ebx, cl
  rol bx, 3
  inc bl
  adc [rbp + 0x40], ebx
  sbb ah, bl
  xchg bh, al
  loop 1b
  mov edi, 7
  call recurse
  mov eax, r15d
  shr eax, 28
  and eax, 3
  call [r12 + rax*8]
  test r15d, 0x300000
  jnz 4f
  mov [rip + patch + 1], r15b          # its own region
  mov byte ptr [rip + leaf_patch + 2], 3
  xor byte ptr [rip + leaf_patch + 3], 2
patch:
  mov al, 1
  add [rbp + 0x48], al
4:movd xmm0, r15d
  pshufd xmm1, xmm0, 0x1b
  paddd xmm1, [rbp + 0x60]
  movdqa [rbp + 0x60], xmm1
  cvtsi2sd xmm2, r15d
  addsd xmm2, [rbp + 0x70]
  movsd [rbp + 0x70], xmm2
  ucomisd xmm2, xmm0
  jp 5f
  inc dword ptr [rbp + 0x78]
5:movq mm0, [rbp + 0x60]
  paddw mm0, mm0
  movq [rbp + 0x80], mm0
  emms
  fild dword ptr [rbp + 0x78]
  fistp qword ptr [rbp + 0x88]
  bt r15d, 5
  jc 6f
  mov rax, r15
  xor edx, edx
  mov ebx, 77
  div rbx
  cqo
  neg rbx
  idiv rbx
  mul r15
  add [rbp + 0x90], rdx
6:lea rsi, [rbp + 0x100]
  lea rdi, [rbp + 0x1f8]
  mov ecx, 9
  rep movsq
  push qword ptr [rbp + 0x90]
  pop qword ptr [rsp - 0x20]
  pushfq
  and qword ptr [rsp], 0x8d5
  popfq
  enter 16, 0
  leave
  cpuid
  rdtsc                                # the exact count of instructions, as the test machine answers
  add [rbp + 0xb0], rax
  xor r8d, r8d
  jmp far_away
leaf:
  mov rax, [rbp + rcx*8]
leaf_patch:
  shld rax, rdx, 3
  lea rax, [rax + rdx*4 - 7]
  mov [rbp + rcx*8], rax
  cmp eax, 0
  js 1f
  add r14, 3
1:ret
recurse:
  push rdi
  add r14, rdi
  sub edi, 2
  jle 1f
  call recurse
  mov rdi, [rsp]
  dec edi
  jle 1f
  call recurse
1:pop rdi
  ret 0
f0: add r13, 1
  ret
f1: xor r13, r15
  ret
f2: ror r13, 7
  ret
table: .quad f0, f1, f2, other_page
  .org 0xff9, 0x90
other_page:                            # crosses into the second page
  add r11, r15
  mov r10, r11
  rcr r10, 1
  bswap r10
  xor [rbp + 0x98], r10
  nop
  lahf
  ret
  .org 0x1ffd, 0x90
far_away:                              # an instruction over a page border
  mov rax, 0x1122334455667788
  bsf rdx, rax
  cmpxchg [rbp + 0xa0], rdx
  xadd [rbp + 0xa8], rax
  jmp again
`;

/** 32-bit, flat. */
export const REGIONS_32 = `
  mov ebp, 0x10000000
  mov esi, 99
again:
  imul esi, esi, 1103515245
  add esi, 12345
  mov eax, esi
  shr eax, 12
  and eax, 0x1fffc
  add [ebp + eax], esi
  mov ecx, 11
1:mov edx, 5
2:call leaf
  test dl, 1
  jz 3f
  call other_page
3:dec edx
  jnz 2b
  movzx ebx, byte ptr [ebp + ecx*8]
  cmp bx, 100
  setb bh
  adc [ebp + 0x40], ebx
  sbb ah, bl
  daa
  loop 1b
  mov edi, 7
  call recurse
  test esi, 0x300000
  jnz 4f
  mov eax, esi
  mov [patch + 1], al
patch:
  mov al, 1
  add [ebp + 0x48], al
4:lea bx, [bx + si + 5]
  mov eax, gs:[0x10000050]
  add fs:[ebp + 0x54], eax
  rdtsc
  add [ebp + 0xb0], eax
  push ax
  pop dx
  pushad
  popad
  movd xmm0, esi
  paddd xmm0, [ebp + 0x60]
  movdqa [ebp + 0x60], xmm0
  mov eax, offset f0
  test esi, 0x1000000
  jz 5f
  mov eax, offset f1
5:call eax
  jmp far_away
leaf:
  mov eax, [ebp + ecx*8]
  shld eax, edx, 3
  lea eax, [eax + edx*4 - 7]
  mov [ebp + ecx*8], eax
  cmp eax, 0
  js 1f
  inc dword ptr [ebp + 0x4c]
1:ret
recurse:
  push edi
  sub edi, 2
  jle 1f
  call recurse
  mov edi, [esp]
  dec edi
  jle 1f
  call recurse
1:pop edi
  ret
f0: add dword ptr [ebp + 0x90], 1
  ret
f1: xor [ebp + 0x90], esi
  ret
  .org 0xff9, 0x90
other_page:
  add ebx, esi
  rcr ebx, 1
  bswap ebx
  xor [ebp + 0x98], ebx
  nop
  ret
  .org 0x1ffd, 0x90
far_away:
  mov eax, 0x11223344
  bsf edx, eax
  xadd [ebp + 0xa8], eax
  jmp again
`;

/** Jumps and calls through tables, of which entries change; a jump into the middle of its own block; hypercalls of both kinds.
 * `w`: bytes of a word; registers by their 32-bit letters. */
function tables(bits: 64 | 32): string {
  const r = bits === 64 ? 'r' : 'e';
  const w = bits / 8;
  const word = bits === 64 ? '.quad' : '.long';
  const trap = bits === 64 ? 'syscall' : 'int 0x82';
  return `
  mov ${r}bp, 0x10000000
  mov esi, 77
again:
  imul esi, esi, 1103515245
  add esi, 12345
  mov edi, 40
  xor ecx, ecx
next:
  imul esi, esi, 1664525
  add esi, 1013904223
  mov eax, esi
  shr eax, 29
  cmp eax, 6
  ja rare
  jmp [states + ${r}ax*${w}]
s0: inc ecx
  jmp done
s1: add ecx, esi
  jmp done
s2: test ecx, 8
  jz s1
  ror ecx, 3
s3: xor ecx, [${r}bp + 0x40]
  adc ecx, 5
  jmp done
s4: mov edx, esi
  and edx, 7
  mov ${r}ax, [calls + ${r}dx*${w}]
  push ${r}cx
  call ${r}ax
  pop ${r}dx
  add ecx, edx
done:
  dec edi
  jnz next
  mov [${r}bp + 0x44], ecx
  mov eax, esi                         # into its own block or behind it
  shr eax, 31
  nop
inside:
  xor esi, 0x10001
  shr eax, 1
  jmp [backwards + ${r}ax*${w}]
outside:
  test esi, 0x700000
  jnz 1f
  mov eax, esi                         # another target for an entry
  shr eax, 10
  and eax, 7
  mov ${r}dx, [calls + ${r}ax*${w}]
  mov [calls], ${r}dx
  mov edx, esi
  and edx, 3
  mov ${r}dx, [others + ${r}dx*${w}]
  mov [calls + ${r}ax*${w}], ${r}dx
1:mov eax, esi
  ${trap}
  mov [${r}bp + 0x48], eax
  int 0x90
  jmp again
rare:
  cmp eax, 7
  jne s3
  add dword ptr [${r}bp + 0x4c], 1
  jmp [states + 2*${w}]
c0: add ecx, 1
  ret
c1: xor ecx, esi
  js 2f
  ret
2:neg ecx
  ret
c2: mov [${r}bp + 0x50], ecx
  ret
c3: cmp ecx, esi
  jb c0
  rcl ecx, 1
  ret
c4: call c1
  ret
c5: xor ecx, 5
  ret
c6: add ecx, 6
  ret
c7: rol ecx, 7
  ret
c8: sub ecx, 8
  ret
others: ${word} c5, c6, c7, c8
states: ${word} s0, s1, s2, s3, s4, done, s0, rare
backwards: ${word} outside, inside
  .balign ${8 * w}
calls: ${word} c0, c1, c2, c3, c4, elsewhere, c0, c3
  .org 0xffc, 0x90
elsewhere:                             # crosses into the second page
  lea ecx, [${r}cx + ${r}si*2 + 0x11223344]
  ret
`;
}
export const TABLES_64 = tables(64);
export const TABLES_32 = tables(32);
