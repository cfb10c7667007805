"""Random cells: what they do to the state, and how they end.

An operation is plain data (so that a failing sequence can be saved, shortened and replayed):

    {"op": "cell", "does": [action...], "ends": [how...]}     {"op": "undo", "n": 2}     {"op": "killed between"}     {"op": "read"}

Each action has a C text and an effect on the State, side by side in its function below; one that does not fit the
state raises Missing. Within a cell: struct types, declarations, functions, statements.
"""

import random
from array import array

from crashes import QUICK
from state import MOD, Missing

NAMES = [f"v{i}" for i in range(16)]
FUNCTIONS = [f"f{i}" for i in range(8)]  # f2 calls only f0 and f1
TAGS = ["T0", "T1", "T2"]
MARK = "@@"  # what a cell prints when it is in its endless loop
LOOPS = {
    "computing": "for (;;) { }",
    "calling": "for (;;) soak_zero = soak_deref(&soak_zero);",
    "sleeping": "sleep(100);",
    "pausing": "for (;;) pause();",
    "reading": "int soak_ends[2]; pipe(soak_ends); char soak_byte; read(soak_ends[0], &soak_byte, 1);",
    "in a library": "for (;;) { char soak_text[4000]; snprintf(soak_text, sizeof soak_text, \"%3000d\", 1); }",
    "allocating": "for (;;) free(malloc(1000));",
}


# ---- expressions: (C text, value). One call after the other, so that their order is C's only one ----

def expression(state, e):
    kind, *rest = e
    if kind == "n":
        return str(rest[0]), rest[0]
    if kind == "var":
        return rest[0], state.storage(rest[0], "int")[1]
    if kind == "element":
        name, index = rest
        value = state.storage(name, "ints")[1]
        if index >= len(value):
            raise Missing(name)
        return f"{name}[{index}]", value[index]
    if kind == "field":
        name, field = rest
        value = state.storage(name, "struct")[1]
        if not isinstance(value.get(field), int):
            raise Missing(name)
        return f"{name}.{field}", value[field]
    if kind == "heap":
        name, index = rest
        block, offset = state.storage(name, "heap")[1]
        if offset + index >= len(state.blocks[block]):
            raise Missing(name)
        return f"{name}[{index}]", state.blocks[block][offset + index]
    if kind == "length":
        return f"(int)strlen({rest[0]})", len(state.storage(rest[0], "text")[1])
    if kind == "call":
        name, inner = rest
        slot = state.slot(name, "int")
        text, x = expression(state, inner)
        return f"{name}({text})", state.call(slot, x)
    if kind == "through":
        name, inner = rest
        slot = state.storage(name, "pointer")[1]
        text, x = expression(state, inner)
        return f"{name}({text})", state.call(slot, x)
    inner, a = rest
    text, x = expression(state, inner)
    return f"(({text} * 7 + {a}) % {MOD})", (x * 7 + a) % MOD


def random_expression(rng, state, depth=2):
    choices = [lambda: ["n", rng.randrange(MOD)]]
    for ctype, make in (("int", lambda name: ["var", name]), ("ints", lambda name: ["element", name, rng.randrange(4)]),
                        ("heap", lambda name: ["heap", name, rng.randrange(3)]), ("text", lambda name: ["length", name])):
        names = state.variables(ctype)
        if names:
            choices.append(lambda make=make, names=names: make(rng.choice(names)))
    structs = state.variables("struct")
    if structs:
        choices.append(lambda: ["field", rng.choice(structs), rng.choice("xyz")])
    if depth > 0:
        choices.append(lambda: ["plus", random_expression(rng, state, depth - 1), rng.randrange(1000)])
        if state.functions():
            choices += 2 * [lambda: ["call", rng.choice(state.functions()), random_expression(rng, state, depth - 1)]]
        if state.variables("pointer"):
            choices.append(lambda: ["through", rng.choice(state.variables("pointer")), random_expression(rng, state, depth - 1)])
    return rng.choice(choices)()


# ---- actions: state is changed, C text comes back ----

def fields_text(fields):
    return " ".join(f"char {name}[12];" if ctype == "text" else f"{ctype} {name};" for name, ctype in fields)


def do_tag(state, tag, fields):
    fields = [tuple(field) for field in fields]
    state.retag(tag, fields)
    return f"struct {tag} {{ {fields_text(fields)} }};"


def full_type(state, ctype):
    """A struct's members are part of its type."""
    if not ctype.startswith("struct"):
        return ctype
    tag = ctype.split()[1]
    if tag not in state.tags:
        raise Missing(tag)
    return f"struct {tag} {fields_text(state.tags[tag])}"


def do_declare(state, name, ctype, value):
    storage = state.reserve(name, full_type(state, ctype))
    kind = ctype.split()[0]
    if kind == "int":
        text, storage[1] = expression(state, value)
        return f"int {name} = {text};"
    if kind == "double":
        storage[1] = value
        return f"double {name} = {value!r};"
    if kind == "ints":
        storage[1] = list(value)
        return f"int {name}[{len(value)}] = {{ {', '.join(map(str, value))} }};"
    if kind == "text":
        storage[1] = value
        return f"char {name}[{ctype.split()[1]}] = \"{value}\";"
    if kind == "struct":
        tag = ctype.split()[1]
        storage[1] = {field: {"int": value % 1000, "double": value / 8, "text": f"s{value % 1000}"}[t] for field, t in state.tags[tag]}
        shown = ", ".join(f".{field} = " + (f'"{v}"' if isinstance(v, str) else repr(v)) for field, v in storage[1].items())
        return f"struct {tag} {name} = {{ {shown} }};"
    if kind == "heap":
        count, seed = value
        block = state.number()
        state.blocks[block] = array("i", [(seed + 3 * i) % MOD for i in range(count)])
        storage[1] = (block, 0)
        return f"int *{name} = malloc({count} * sizeof *{name});\nfor (int i = 0; i < {count}; i++) {name}[i] = ({seed} + 3 * i) % {MOD};"
    storage[1] = state.slot(value, "int")
    return f"int (*{name})(int) = {value};"


def do_define(state, name, signature, body, uses, cc):
    kind, a, b = body
    force = "_Atomic int soak_atomic = 0; soak_atomic++; " if cc else ""  # what tcc can't compile, so that cc does
    if signature == "double":
        state.define(name, signature, tuple(body), [])
        return f"double {name}(double x)\n{{\n    {force}return x * {a!r} + {b!r};\n}}"
    bound = []
    if kind in ("reads", "counts"):
        bound = [state.variable(uses, "int")]
    elif kind == "calls":
        if FUNCTIONS.index(uses) >= FUNCTIONS.index(name):
            raise Missing(uses)
        bound = [("fun", state.slot(uses, "int"))]
    elif kind in ("looks", "writes"):
        bound = [state.variable(uses, "heap")]
    text = {"pure": f"return (x * {a} + {b}) % {MOD};", "reads": f"return ({uses} + x * {a}) % {MOD};",
            "counts": f"{uses} = ({uses} + x + {a}) % {MOD};\n    return {uses};", "calls": f"return ({uses}(x) * {a} + {b}) % {MOD};",
            "looks": f"return ({uses}[0] + x * {a}) % {MOD};", "writes": f"{uses}[0] = ({uses}[0] + x) % {MOD};\n    return {uses}[0];"}[kind]
    state.define(name, signature, tuple(body), bound)
    return f"int {name}(int x)\n{{\n    {force}{text}\n}}"


def do_set(state, name, e):
    state.storage(name, "int")
    text, value = expression(state, e)
    state.storage(name, "int")[1] = value
    return f"{name} = {text};"


def do_halve(state, name, e):
    state.storage(name, "double")
    text, value = expression(state, e)
    storage = state.storage(name, "double")
    storage[1] = storage[1] * 0.5 + value * 0.25
    return f"{name} = {name} * 0.5 + {text} * 0.25;"


def do_call_double(state, name, function):
    storage = state.storage(name, "double")
    slot = state.slot(function, "double")
    storage[1] = state.call(slot, storage[1] / 1024)
    return f"{name} = {function}({name} / 1024);"


def do_put(state, name, index, e):
    if index >= len(state.storage(name, "ints")[1]):
        raise Missing(name)
    text, value = expression(state, e)
    state.storage(name, "ints")[1][index] = value
    return f"{name}[{index}] = {text};"


def do_poke(state, name, index, e):
    block, offset = state.storage(name, "heap")[1]
    if offset + index >= len(state.blocks[block]):
        raise Missing(name)
    text, value = expression(state, e)
    state.blocks[block][offset + index] = value
    return f"{name}[{index}] = {text};"


def do_field(state, name, field, e):
    if not isinstance(state.storage(name, "struct")[1].get(field), int):
        raise Missing(name)
    text, value = expression(state, e)
    state.storage(name, "struct")[1][field] = value
    return f"{name}.{field} = {text};"


def do_print_into(state, name, e):
    size = int(state.storage(name, "text")[0].split()[1])
    text, value = expression(state, e)
    state.storage(name, "text")[1] = f"t{value}"[:size - 1]
    return f"snprintf({name}, sizeof {name}, \"t%d\", {text});"


def do_point(state, name, function):
    storage = state.storage(name, "pointer")
    storage[1] = state.slot(function, "int")
    return f"{name} = {function};"


def do_alias(state, name, other, by):
    storage = state.storage(name, "heap")
    block, offset = state.storage(other, "heap")[1]
    if offset + by >= len(state.blocks[block]):
        raise Missing(other)
    storage[1] = (block, offset + by)
    return f"{name} = {other} + {by};"


def do_resize(state, name, count):
    """realloc; only of a block that nothing else points into."""
    storage = state.storage(name, "heap")
    block, offset = storage[1]
    if offset or sum(v[0] == block for t, v in state.storages.values() if t == "heap") != 1:
        raise Missing(name)
    old = state.blocks[block]
    state.blocks[block] = (old + array("i", [(5 * i) % MOD for i in range(len(old), count)]))[:count]
    return (f"{name} = realloc({name}, {count} * sizeof *{name});\n"
            f"for (int i = {len(old)}; i < {count}; i++) {name}[i] = 5 * i % {MOD};")


def do_loop(state, name, count):
    storage = state.storage(name, "int")
    for i in range(count):
        storage[1] = (storage[1] * 3 + i) % MOD
    return f"for (int i = 0; i < {count}; i++) {{\n    {name} = ({name} * 3 + i) % {MOD};\n}}"


ACTIONS = {"tag": do_tag, "declare": do_declare, "define": do_define, "set": do_set, "halve": do_halve, "call double": do_call_double,
           "put": do_put, "poke": do_poke, "field": do_field, "print into": do_print_into, "point": do_point, "alias": do_alias,
           "resize": do_resize, "loop": do_loop}
ORDER = {"tag": 0, "declare": 1, "define": 2}


def act(state, actions):
    """All actions of a cell, as C has it: what it declares and defines is there before its code runs. C texts in order."""
    done, signatures = {}, {name: signature for kind, name, signature, *_ in (a for a in actions if a[0] == "define")}
    if any(signatures.get(a[4], "int") != "int" for a in actions if a[0] == "define"):
        raise Missing("a function calls one that the cell gives another type")
    for kinds in (["tag"], [], ["define"], [kind for kind in ACTIONS if kind not in ("tag", "define")]):
        for i, (kind, *rest) in enumerate(actions):
            if kind in kinds:
                done[i] = ACTIONS[kind](state, *rest)
            elif not kinds and kind == "declare":
                state.reserve(rest[0], full_type(state, rest[1]))
    return [done[i] for i in range(len(actions))]


def random_declaration(rng, state, name):
    kind = rng.choice(["int", "int", "double", "ints", "text", "struct", "heap", "pointer"])
    if kind == "int":
        return ["declare", name, "int", random_expression(rng, state)]
    if kind == "double":
        return ["declare", name, "double", rng.randrange(10**6) / 64]
    if kind == "ints":
        count = rng.choice([4, 4, 9, 100])
        return ["declare", name, f"ints {count}", [rng.randrange(MOD) for _ in range(count)]]
    if kind == "text":
        return ["declare", name, f"text {rng.choice([16, 40])}", f"w{rng.randrange(10**6)}"]
    if kind == "struct" and state.tags:
        return ["declare", name, f"struct {rng.choice(sorted(state.tags))}", rng.randrange(10**5)]
    if kind == "pointer" and state.functions():
        return ["declare", name, "pointer", rng.choice(state.functions())]
    return ["declare", name, "heap", [rng.choice([3, 8, 50, 50, 3000] if rng.random() < 0.95 else [40000]), rng.randrange(MOD)]]


def random_definition(rng, state):
    name = rng.choice(FUNCTIONS)
    if rng.random() < 0.15:
        return ["define", name, "double", ["double", rng.randrange(100) / 64, rng.randrange(100) / 8], None, False]
    kind, uses = "pure", None
    options = [("reads", state.variables("int")), ("counts", state.variables("int")), ("looks", state.variables("heap")),
               ("writes", state.variables("heap")), ("calls", [f for f in state.functions() if f < name])]
    options = [(k, names) for k, names in options if names]
    if options and rng.random() < 0.8:
        kind, names = rng.choice(options)
        uses = rng.choice(names)
    return ["define", name, "int", [kind, rng.randrange(1, 900), rng.randrange(1000)], uses, rng.random() < 0.02]


def random_statement(rng, state):
    name = rng.choice(state.variables() or ["v0"])
    kind = state.storages[state.names[name][1]][0].split()[0] if name in state.names else "int"
    e = random_expression(rng, state)
    if kind == "int":
        return ["loop", name, rng.randrange(1, 50)] if rng.random() < 0.2 else ["set", name, e]
    if kind == "double":
        functions = state.functions("double")
        return ["call double", name, rng.choice(functions)] if functions and rng.random() < 0.4 else ["halve", name, e]
    if kind == "ints":
        return ["put", name, rng.randrange(4), e]
    if kind == "text":
        return ["print into", name, e]
    if kind == "struct":
        return ["field", name, rng.choice("xyz"), e]
    if kind == "pointer":
        return ["point", name, rng.choice(state.functions() or ["f0"])]
    return rng.choice([["poke", name, rng.randrange(3), e], ["poke", name, rng.randrange(3), e], ["resize", name, rng.choice([3, 60, 2000])],
                       ["alias", name, rng.choice(state.variables("heap")), rng.randrange(2)]])


def random_actions(rng, state):
    actions, declared = [], set()
    for _ in range(rng.choice([0, 1, 1, 2, 3, 5])):
        p = rng.random()
        if p < 0.03:
            fields = [["x", "int"]] + rng.sample([["y", "int"], ["z", "text"], ["y", "double"], ["z", "int"]], rng.randrange(3))
            if len({name for name, _ in fields}) == len(fields) and not any(a[0] == "tag" for a in actions):
                actions.append(["tag", rng.choice(TAGS), fields])
        elif p < 0.35:
            name = rng.choice(NAMES)
            if name not in declared:
                declared.add(name)
                actions.append(random_declaration(rng, state, name))
        elif p < 0.55:
            action = random_definition(rng, state)
            if action[1] not in declared:
                declared.add(action[1])
                actions.append(action)
        else:
            actions.append(random_statement(rng, state))
    return sorted(actions, key=lambda a: 2.5 if a[:1] + a[2:3] == ["declare", "pointer"] else ORDER.get(a[0], 3))


ENDINGS = [("return", 40), ("value", 12), ("print", 6), ("silent", 5), ("expressions", 3), ("main", 1), ("compile error", 6), ("link error", 3),
           ("crash", 12), ("crash in an expression", 0.7), ("interrupt", 3), ("second interrupt", 0.06), ("killed", 2)]


def random_operation(rng, state):
    p = rng.random()
    if p < 0.015:
        return {"op": "undo", "n": rng.choice([1, 1, 1, 2, 3, 5, 9])}
    if p < 0.025:
        return {"op": "killed between"}
    kind = rng.choices([name for name, _ in ENDINGS], [weight for _, weight in ENDINGS])[0]
    ends = [kind]
    if kind in ("value", "print", "expressions"):
        ends.append(random_expression(rng, state))
    elif kind == "crash":
        ends.append(rng.choice(QUICK))
    elif kind == "interrupt":
        ends.append(rng.choice(sorted(LOOPS)))
    elif kind == "main":
        ends.append(rng.randrange(1, 100))
    return {"op": "cell", "does": random_actions(rng, state), "ends": ends}


def generator(seed):
    rng = random.Random(seed)
    return lambda state: random_operation(rng, state)


# ---- the cell that reads everything back ----

def read_back(state):
    """C text that prints the session's process and then all names, a line each; and those lines. Calls change the state."""
    text, lines = ['printf("pid %d\\n", getpid());'], []
    for name in sorted(state.names):
        kind, number = state.names[name]
        if kind == "fun":
            if state.slots[number][0] == "int":
                text.append(f'printf("{name} %d\\n", {name}(7));')
                lines.append(f"{name} {state.call(number, 7)}")
            else:
                text.append(f'printf("{name} %.17g\\n", {name}(0.375));')
                lines.append(f"{name} {number_text(state.call(number, 0.375))}")
            continue
        ctype, value = state.storages[number]
        kind = ctype.split()[0]
        if kind == "int":
            text.append(f'printf("{name} %d\\n", {name});')
            lines.append(f"{name} {value}")
        elif kind == "double":
            text.append(f'printf("{name} %.17g\\n", {name});')
            lines.append(f"{name} {number_text(value)}")
        elif kind == "text":
            text.append(f'printf("{name} %s\\n", {name});')
            lines.append(f"{name} {value}")
        elif kind == "ints":
            text.append(f'printf("{name} %lu %d\\n", sizeof {name} / sizeof *{name}, soak_sum({name}, {len(value)}));')
            lines.append(f"{name} {len(value)} {checksum(value)}")
        elif kind == "heap":
            block = state.blocks[value[0]][value[1]:]
            text.append(f'printf("{name} %d\\n", soak_sum({name}, {len(block)}));')
            lines.append(f"{name} {checksum(block)}")
        elif kind == "struct":
            for field, v in sorted(value.items()):
                form = {int: "%d", float: "%.17g", str: "%s"}[type(v)]
                text.append(f'printf("{name}.{field} {form}\\n", {name}.{field});')
                lines.append(f"{name}.{field} {number_text(v) if isinstance(v, float) else v}")
        else:
            text.append(f'printf("{name} %d\\n", {name}(11));')
            lines.append(f"{name} {state.call(value, 11)}")
    return "\n".join(text), lines


READ_HELPERS = f"int soak_sum(const int *p, int n) {{ long s = n; for (int i = 0; i < n; i++) s = (s * 31 + p[i]) % {MOD}; return (int)s; }}\n"


def checksum(values):
    s = len(values)
    for v in values:
        s = (s * 31 + v) % MOD
    return s


def number_text(x):
    return "%.17g" % x
