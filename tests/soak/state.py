"""What a session's state must be: variables, blocks of the heap, functions and pointers to them, as C has them.

A name stands for a storage or a function slot. A redefinition with the same type goes on in the same place, so that
functions and pointers of earlier cells see it; one with another type takes a new place, and functions compiled before
keep the old one. Integers stay in [0, MOD), so that nothing here depends on how C overflows.

Types: int, double, ints N (int [N]), text N (char [N]), struct TAG, heap (int * into a block), pointer (int (*)(int)).
Functions: int (int) and double (double).
"""

import pickle

MOD = 1000003
UNDO = 10  # cells that can be undone


class Missing(Exception):
    """The action does not fit this state (in a shortened sequence): leave it out."""


class State:
    def __init__(self):
        self.names = {}  # name -> ("var", storage) or ("fun", slot)
        self.storages = {}  # number -> [type, value]
        self.slots = {}  # number -> (signature, body, bound): bound: what the body's names stood for when it was compiled
        self.blocks = {}  # number -> array of int
        self.tags = {}  # struct tag -> [(field, type)]
        self.fresh = 0

    def number(self):
        self.fresh += 1
        return self.fresh

    def copy(self):
        return pickle.dumps(self, pickle.HIGHEST_PROTOCOL)

    # ---- looking ----

    def storage(self, name, *types):
        kind, number = self.names.get(name, (None, None))
        if kind != "var" or (types and self.storages[number][0].split()[0] not in types):
            raise Missing(name)
        if self.storages[number][1] is None:
            raise Missing(f"{name} is used before its declaration ran")
        return self.storages[number]

    def variable(self, name, ctype):
        """What a variable's name stands for, whether or not its declaration has run."""
        kind, number = self.names.get(name, (None, None))
        if kind != "var" or self.storages[number][0] != ctype:
            raise Missing(name)
        return kind, number

    def slot(self, name, signature=None):
        kind, number = self.names.get(name, (None, None))
        if kind != "fun" or (signature and self.slots[number][0] != signature):
            raise Missing(name)
        return number

    def variables(self, *types):
        return [name for name, (kind, number) in self.names.items()
                if kind == "var" and (not types or self.storages[number][0].split()[0] in types)]

    def functions(self, signature="int"):
        return [name for name, (kind, number) in self.names.items() if kind == "fun" and self.slots[number][0] == signature]

    # ---- changing ----

    def reserve(self, name, ctype):
        """The place of a variable, before any of its cell's code runs: the earlier one's if the type is the same."""
        kind, number = self.names.get(name, (None, None))
        if kind != "var" or self.storages[number][0] != ctype:
            number = self.number()
            self.names[name] = ("var", number)
            self.storages[number] = [ctype, None]
        return self.storages[number]

    def define(self, name, signature, body, bound):
        kind, number = self.names.get(name, (None, None))
        if kind != "fun" or self.slots[number][0] != signature:
            number = self.number()
            self.names[name] = ("fun", number)
        self.slots[number] = (signature, body, bound)

    def retag(self, tag, fields):
        """A struct's members change: what has the old type can't be read any more, but functions that do still can."""
        if self.tags.get(tag) == fields:
            return
        self.tags[tag] = fields
        for name in self.variables("struct"):
            if self.storages[self.names[name][1]][0].split()[1] == tag:
                del self.names[name]

    def collect(self):
        """Forget what no name reaches."""
        storages, slots, waiting = set(), set(), list(self.names.values())
        while waiting:
            kind, number = waiting.pop()
            if kind == "fun" and number not in slots:
                slots.add(number)
                waiting += self.slots[number][2]
            elif kind == "var" and number not in storages:
                storages.add(number)
                ctype, value = self.storages[number]
                if ctype == "pointer" and value is not None:
                    waiting.append(("fun", value))
        self.slots = {n: s for n, s in self.slots.items() if n in slots}
        self.storages = {n: s for n, s in self.storages.items() if n in storages}
        used = {value[0] for ctype, value in self.storages.values() if ctype == "heap" and value}
        self.blocks = {n: b for n, b in self.blocks.items() if n in used}

    # ---- running ----

    def call(self, number, x):
        signature, body, bound = self.slots[number]
        kind, a, b = body
        for what, where in bound:
            if what == "var" and self.storages[where][1] is None:
                raise Missing("a function reads a variable before its declaration ran")
        if signature == "double":
            return x * a + b
        if kind == "pure":
            return (x * a + b) % MOD
        if kind == "reads":
            return (self.storages[bound[0][1]][1] + x * a) % MOD
        if kind == "counts":
            storage = self.storages[bound[0][1]]
            storage[1] = (storage[1] + x + a) % MOD
            return storage[1]
        if kind == "calls":
            return (self.call(bound[0][1], x) * a + b) % MOD
        if kind == "looks":
            block, offset = self.storages[bound[0][1]][1]
            return (self.blocks[block][offset] + x * a) % MOD
        if kind == "writes":
            block, offset = self.storages[bound[0][1]][1]
            self.blocks[block][offset] = (self.blocks[block][offset] + x) % MOD
            return self.blocks[block][offset]
        raise AssertionError(kind)


class Model:
    """The state, and those from before the last cells that ran."""

    def __init__(self):
        self.state = State()
        self.before = []

    def ran(self, snapshot):
        """A cell ran that began from snapshot."""
        self.before = (self.before + [snapshot])[-UNDO:]

    def restore(self, snapshot):
        self.state = pickle.loads(snapshot)

    def undo(self, n):
        if not 1 <= n <= len(self.before):
            raise Missing("undo")
        self.restore(self.before[-n])
        del self.before[-n:]
