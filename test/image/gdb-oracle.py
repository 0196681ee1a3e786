# Runs a program under gdb and writes, for many stops, the machine state and what gdb makes of it: frames, variables, values.
import json
import gdb

NAMES64 = ['rax', 'rcx', 'rdx', 'rbx', 'rsp', 'rbp', 'rsi', 'rdi', 'r8', 'r9', 'r10', 'r11', 'r12', 'r13', 'r14', 'r15', 'rip']
NAMES32 = ['eax', 'ecx', 'edx', 'ebx', 'esp', 'ebp', 'esi', 'edi', 'eip']
MASK = (1 << 64) - 1


def plain(value, depth=0):
    try:
        if value.is_optimized_out:
            return 'unavailable'
        kind = value.type.strip_typedefs()
        code = kind.code
        if code in (gdb.TYPE_CODE_STRUCT, gdb.TYPE_CODE_UNION):
            return {'fields': [[f.name or '', plain(value[f], depth + 1)] for f in kind.fields()]}
        if code == gdb.TYPE_CODE_ARRAY:
            low, high = kind.range()
            return {'elements': [plain(value[i], depth + 1) for i in range(low, high + 1)]}
        if code == gdb.TYPE_CODE_FLT:
            return {'float': float(value)}
        return hex(int(value) & ((1 << (8 * kind.sizeof)) - 1))
    except gdb.error as error:
        return 'unavailable'


def variables(frame):
    found = []
    try:
        block = frame.block()
    except RuntimeError:
        return found
    seen = set()
    while block is not None and not block.is_static and not block.is_global:
        for symbol in block:
            if not (symbol.is_argument or symbol.is_variable) or symbol.name in seen:
                continue
            seen.add(symbol.name)
            found.append({'name': symbol.name, 'argument': symbol.is_argument, 'type': str(symbol.type), 'value': plain(frame.read_var(symbol, block))})
        if block.function is not None:
            break
        block = block.superblock
    return sorted(found, key=lambda v: v['name'])


def stop():
    frames = []
    frame = gdb.newest_frame()
    wide = 'rip' in [r.name for r in frame.architecture().registers()]
    names = NAMES64 if wide else NAMES32
    registers = {name: hex(int(frame.read_register(name)) & (MASK if wide else 0xffffffff)) for name in names}
    while frame is not None and len(frames) < 40:
        sal = frame.find_sal()
        frames.append({
            'function': frame.name(),
            'pc': hex(frame.pc()),
            'line': sal.line,
            'file': sal.symtab.filename.split('/')[-1] if sal.symtab else None,
            'inlined': frame.type() == gdb.INLINE_FRAME,
            'variables': variables(frame),
        })
        frame = frame.older()
    inferior = gdb.selected_inferior()
    top = int(gdb.parse_and_eval('$sp')) & (MASK if wide else 0xffffffff)
    stack = b''
    for length in (16384, 4096, 2048, 1024, 512, 256):
        try:
            stack = bytes(inferior.read_memory(top - 256, length))
            break
        except gdb.MemoryError:
            continue
    return {'registers': registers, 'frames': frames, 'stack': {'address': hex(top - 256), 'bytes': stack.hex()}}


def address_of(name):
    try:
        return hex(int(gdb.parse_and_eval('&' + name)))
    except gdb.error:
        return None


def global_values(names):
    values = {name: gdb.parse_and_eval(name) for name in names}
    return {name: {'type': str(value.type), 'value': plain(value), 'address': address_of(name)} for name, value in values.items()}


def main(program, breakpoints, steps, names, output):
    gdb.execute('set pagination off')
    gdb.execute('set confirm off')
    gdb.execute('set language c')
    gdb.execute('set disable-randomization on')
    gdb.execute('file ' + program)
    for name in breakpoints:
        gdb.Breakpoint(name)
    stops = []
    gdb.execute('run', to_string=True)
    values = global_values(names)
    while gdb.selected_inferior().pid != 0 and len(stops) < 400:
        for _ in range(steps):
            stops.append(stop())
            gdb.execute('stepi', to_string=True)
            if gdb.selected_inferior().pid == 0:
                break
        if gdb.selected_inferior().pid != 0:
            stops.append(stop())
            gdb.execute('continue', to_string=True)
    with open(output, 'w') as out:
        json.dump({'stops': stops, 'globals': values}, out)
