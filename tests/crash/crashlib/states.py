"""Which states a power cut could leave: every point of a trace, and at each point which pending changes survived."""

import hashlib
import itertools
import random

from .model import NEVER

SECTOR = 512
DROP, KEEP, GROW = "drop", "keep", "grow"  # GROW: the size came through, the bytes did not
FEW = 4  # pending changes of which every subset is looked at


def tear(op, rng, garbage):
    """Some sectors came through; the others are as before, or garbage."""
    sectors = (op.at + len(op.data) - 1) // SECTOR - op.at // SECTOR + 1
    how = rng.randrange(3)
    if how == 0:
        mask = (1 << rng.randrange(sectors + 1)) - 1
    elif how == 1:
        mask = ((1 << sectors) - 1) ^ ((1 << rng.randrange(sectors + 1)) - 1)
    else:
        mask = rng.getrandbits(sectors)
    return ("torn", mask, rng.getrandbits(30) if garbage else None)


def apply(content, op, mode):
    """Make of a file's bytes what this change, in this mode, makes of them."""
    if op.size is not None:
        del content[op.size:]
        content.extend(bytes(op.size - len(content)))
        return
    end = op.at + len(op.data)
    if len(content) < end:
        content.extend(bytes(end - len(content)))
    if mode is KEEP:
        content[op.at:end] = op.data
        return
    if mode is GROW:
        return
    _, mask, seed = mode
    noise = random.Random(seed)
    first = op.at // SECTOR
    for sector in range(first, (end - 1) // SECTOR + 1):
        low, high = max(op.at, sector * SECTOR), min(end, (sector + 1) * SECTOR)
        if mask >> (sector - first) & 1:
            content[low:high] = op.data[low - op.at:high - op.at]
        elif seed is not None:
            content[low:high] = noise.randbytes(high - low)


class World:
    """The disk at one point of the trace.  advance() moves it on; what is durable is folded into the base."""

    def __init__(self, disk):
        self.disk = disk
        self.base = {n: dict(c) if isinstance(c, dict) else bytearray(c) for n, c in disk.base.items()}
        self.versions, self.live = {}, {}
        self.issues = sorted(disk.ops, key=lambda op: op.start)
        self.next = 0
        self.open = []  # issued, not durable
        self.digests, self.entries = {}, {}
        self.quiet = {}  # files of which nothing is pending: what file() says
        self.last_durable_name = (-1, -1)
        self.at = -1

    def points(self, answers):
        """Everything between two of these leaves the same: a change is issued, a sync ends, an answer is given."""
        ops = self.disk.ops
        return sorted({op.start for op in ops} | {op.durable for op in ops if op.durable != NEVER} | set(answers))

    def advance(self, at):
        self.at = at
        fresh = []
        while self.next < len(self.issues) and self.issues[self.next].start <= at:
            op = self.issues[self.next]
            self.live.setdefault(op.inode, []).append(op)
            fresh.append(op)
            self.next += 1
        for number in {op.inode for op in fresh}:
            self.live[number].sort(key=lambda op: op.order())
        self.open = sorted((op for op in self.open + fresh if op.durable > at), key=lambda op: op.order())
        self.fold(at)
        return fresh

    def fold(self, at):
        for number, live in self.live.items():
            done = list(itertools.takewhile(lambda op: op.durable <= at, live))
            if not done:
                continue
            del live[:len(done)]
            self.quiet.pop(number, None)
            self.versions[number] = self.versions.get(number, 0) + len(done)
            is_directory = self.disk.inodes[number].is_directory
            base = self.base.setdefault(number, {} if is_directory else bytearray())
            for op in done:
                if is_directory:
                    rename_in(base, op)
                    self.last_durable_name = max(self.last_durable_name, op.order())
                else:
                    apply(base, op, KEEP)

    # ---- what there is, given what survived ----

    def survivors(self, number, chosen):
        """The changes of an inode behind its base that count: durable ones, and those chosen, each with its mode."""
        return tuple((op, chosen.get(op.number, KEEP)) for op in self.live.get(number, ())
                     if op.durable <= self.at or chosen.get(op.number, DROP) is not DROP)

    def content(self, number, survivors):
        content = bytearray(self.base.get(number, b""))
        for op, mode in survivors:
            apply(content, op, mode)
        return bytes(content)

    def file(self, number, chosen):
        """(digest, how to get the bytes)."""
        if not self.live.get(number) and number in self.quiet:
            return self.quiet[number]
        survivors = self.survivors(number, chosen)
        key = number, self.versions.get(number, 0), tuple((op.number, mode) for op, mode in survivors)
        digest = self.digests.get(key)
        if digest is None:
            digest = hashlib.blake2b(self.content(number, survivors), digest_size=16).digest()
            self.digests[key] = digest
        found = digest, (number, survivors)
        if not survivors:
            self.quiet[number] = found
        return found

    def names(self, number, chosen):
        survivors = self.survivors(number, chosen)
        key = number, self.versions.get(number, 0), tuple(op.number for op, _ in survivors)
        names = self.entries.get(key)
        if names is None:
            entries = dict(self.base.get(number, {}))
            for op, _ in survivors:
                rename_in(entries, op)
            names = self.entries[key] = sorted(entries.items())
        return names

    def image(self, chosen):
        """[(path, None for a directory, else (digest, how to get the bytes))], parents first, below the world."""
        found, directories = [], [("", self.disk.world.number)]
        while directories:
            path, number = directories.pop()
            for name, child in self.names(number, chosen):
                inode = self.disk.inodes[child]
                here = f"{path}/{name}"
                if inode.is_directory:
                    found.append((here, None))
                    directories.append((here, child))
                elif inode.is_lock:
                    found.append((here, EMPTY))
                else:
                    found.append((here, self.file(child, chosen)))
        return found


EMPTY = (hashlib.blake2b(b"", digest_size=16).digest(), None)


def rename_in(entries, op):
    for name, number in op.sets:
        if number is None:
            entries.pop(name, None)
        else:
            entries[name] = number


# ---- which survive ----

def alternatives(op, rng):
    """What else can become of a change than to be lost or kept."""
    if op.data is None:
        return []
    return [tear(op, rng, False), tear(op, rng, True), GROW]


def torn(op, rng, depth):
    """At depth 0 one of the alternatives."""
    modes = alternatives(op, rng)
    return modes if depth or not modes else [rng.choice(modes)]


def choices_weak(world, fresh, rng, depth):
    """Every unsynced change for itself."""
    ops = world.open
    keep = {op.number: KEEP for op in ops}
    yield {}
    yield keep
    if len(ops) <= FEW:
        for mask in range(1, (1 << len(ops)) - 1):
            yield {op.number: KEEP for i, op in enumerate(ops) if mask >> i & 1}
    # With many pending, those that have just come are looked at one by one, the others by chance.
    few = ops if len(ops) <= 2 * FEW else set(fresh) | set(rng.sample(ops, FEW))
    for op in few:
        yield {op.number: KEEP}
        yield {n: mode for n, mode in keep.items() if n != op.number}
        for mode in torn(op, rng, depth):
            yield (keep if rng.random() < 0.7 else {}) | {op.number: mode}
    for _ in range(depth):
        yield by_chance(ops, rng)


def by_chance(ops, rng):
    share = rng.random()
    chosen = {}
    for op in ops:
        if rng.random() < share:
            modes = alternatives(op, rng)
            chosen[op.number] = rng.choice(modes) if modes and rng.random() < 0.3 else KEEP
    return chosen


def choices_ordered(world, _, rng, depth):
    """Names come through in their order: a prefix; bytes each for itself."""
    names = [op for op in world.open if op.sets is not None]
    data = [op for op in world.open if op.sets is None]
    forced = [op for op in names if op.order() < world.last_durable_name]
    free = [op for op in names if op.order() >= world.last_durable_name]
    lengths = range(len(free) + 1) if len(free) <= 2 * FEW else {0, len(free), *rng.sample(range(len(free)), FEW)}
    for length in lengths:
        through = {op.number: KEEP for op in forced + free[:length]}
        yield through
        yield through | {op.number: KEEP for op in data}
        for _ in range(depth):
            yield through | by_chance(data, rng)


MODELS = {"weak": choices_weak, "ordered": choices_ordered}


def states(world, fresh, model, rng, depth):
    """The distinct choices at this point.  <depth>: how many of them are left to chance."""
    seen = set()
    for chosen in MODELS[model](world, fresh, rng, depth):
        key = frozenset(chosen.items())
        if key not in seen:
            seen.add(key)
            yield chosen
