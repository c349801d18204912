"""The single faults: what is done to which file, and whom it can hit."""

import os
import random

from . import files, journal


class Fault:
    """<kind> says what is done, <where> to what; <make> gives the new bytes of files: {path: bytes, or None = gone}."""

    def __init__(self, kind, where, make, directory=False):
        self.kind = kind
        self.where = where
        self.make = make
        self.directory = directory  # <where> is a directory that goes as a whole

    def __str__(self):
        return f"{self.kind} {self.where}"

    def boxes(self):
        """Ids of the containers whose files are touched."""
        parts = [name.split("/") for name in self.make]
        return {p[1] for p in parts if p[0] == "containers" and len(p) > 1}

    def touches(self, box, name):
        return f"containers/{box}/{name}" in self.make or (self.directory and box in self.boxes())

    def apply(self, place):
        for name, data in self.make.items():
            path = os.path.join(place, name)
            files.remove(path)
            if data is not None:
                files.write_file(path, data)

    def undo(self, place, tree):
        files.put_right(place, tree, self.make)


# ---- what can be done to bytes ----

def flip(data, at, bit):
    return data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1:]


def zero_sector(data, at):
    at = at // 512 * 512
    return data[:at] + b"\0" * len(data[at:at + 512]) + data[at + 512:]


def to_file(kind, name, data, new):
    return Fault(kind, name, {name: new}) if new != data else None


def flips(name, data, count, start=0, end=None, what=""):
    end = len(data) if end is None else end
    for _ in range(count if end > start else 0):
        at, bit = random.randrange(start, end), random.randrange(8)
        yield to_file(f"flip bit {bit} of {what}byte {at} in", name, data, flip(data, at, bit))


def cuts(name, data, count):
    lengths = {0, len(data) - 1, len(data) // 2} | {random.randrange(len(data)) for _ in range(count)}
    for length in sorted(lengths):
        yield to_file(f"truncate to {length} bytes", name, data, data[:length])


def others(name, data):
    garbage = bytes(random.randrange(256) for _ in range(random.choice([1, 100, 4096])))
    yield to_file(f"extend by {len(garbage)} bytes of garbage", name, data, data + garbage)
    yield to_file("extend by a block of zeros", name, data, data + b"\0" * 4096)
    yield Fault("delete", name, {name: None})


def older(name, data, tree):
    """An earlier state of the same file put back."""
    if tree.get(name) is not None:
        yield to_file("put back an older", name, data, tree[name])


def swapped(name, other, tree):
    return Fault("swap", f"{name} and {other}", {name: tree[other], other: tree[name]})


# ---- which files there are ----

def of_segment(root, name):
    path = f"journal/{name}"
    data = root.tree[path]
    yield from flips(path, data, 6, 0, 72, "the header, ")
    yield from flips(path, data, 3, 72, 4096, "the header block, ")
    for f in root.segments.frames[name]:
        where = f"frame {f.seq}, "
        yield from flips(path, data, 2, f.at, f.at + journal.FRAME_HEADER, where + "header, ")
        payload = f.at + journal.FRAME_HEADER
        yield from flips(path, data, 2, payload, payload + f.payload, where + "payload, ")
        yield to_file(f"zero the first sector of frame {f.seq} in", path, data, zero_sector(data, f.at))
        at = random.randrange(f.at, f.at + max(f.payload, 1))
        yield to_file(f"zero the sector at {at}, frame {f.seq}, in", path, data, zero_sector(data, at))
        yield to_file(f"truncate before frame {f.seq}", path, data, data[:f.at])
        whole = data[:f.at] + b"\0" * f.room + data[f.at + f.room:]
        yield to_file(f"zero all of frame {f.seq} in", path, data, whole)
        yield to_file(f"zero everything from frame {f.seq} on in", path, data, data[:f.at] + b"\0" * (len(data) - f.at))
    yield from cuts(path, data, 6)
    yield from others(path, data)
    yield from older(path, data, root.older)


def of_journal(root):
    names = sorted(root.segments.segments)
    for name in names:
        yield from of_segment(root, name)
    for a, b in zip(names, names[1:]):
        yield swapped(f"journal/{a}", f"journal/{b}", root.tree)
        yield Fault("replace by the next segment", f"journal/{a}", {f"journal/{a}": root.tree[f"journal/{b}"]})
    for name in ("journal/.spare", "journal/.reserve"):
        data = root.tree.get(name)
        if data:
            yield from flips(name, data, 4)
            yield from cuts(name, data, 1)
            yield from others(name, data)
            yield swapped(name, f"journal/{names[-1]}", root.tree)
    yield Fault("delete directory", "journal", gone(root, "journal"), directory=True)


def gone(root, directory):
    below = [name for name in root.tree if name == directory or name.startswith(directory + "/")]
    return {name: None for name in sorted(below, reverse=True)}


def of_small_files(root):
    for name, count in (("journal/MANIFEST", 60), ("VERSION", 40), ("lock", 3)):
        data = root.tree[name]
        yield from flips(name, data, count)
        yield from cuts(name, data, 6)
        yield from others(name, data)
        yield from older(name, data, root.older)
        yield to_file("zero the sector at 0 in", name, data, zero_sector(data, 0))


def of_box(root, box, other):
    status, metadata = f"containers/{box}/status", f"containers/{box}/metadata"
    for name in (status, metadata):
        data = root.tree.get(name)
        if data is None:
            continue
        yield from flips(name, data, 6)
        yield from cuts(name, data, 2)
        yield to_file("zero the sector at 0 in", name, data, zero_sector(data, 0))
        yield from others(name, data)
        yield from older(name, data, root.older)
        same = f"containers/{other}/{name.split('/')[2]}"
        if root.tree.get(same) is not None:
            yield swapped(name, same, root.tree)
    if root.tree.get(status) is not None and root.tree.get(metadata) is not None:
        yield swapped(status, metadata, root.tree)
        if all(root.tree.get(f"containers/{other}/{n}") is not None for n in ("status", "metadata")):
            yield Fault("swap directories", f"containers/{box} and containers/{other}",
                        {f"containers/{a}/{n}": root.tree[f"containers/{b}/{n}"]
                         for a, b in ((box, other), (other, box)) for n in ("status", "metadata")})
        before = {name: root.older.get(name) for name in (status, metadata)}
        if None not in before.values() and any(root.tree[name] != data for name, data in before.items()):
            yield Fault("put back an older", f"containers/{box}", before)
    if f"containers/{box}" in root.tree:
        yield Fault("delete directory", f"containers/{box}", gone(root, f"containers/{box}"), directory=True)


def of_boxes(root):
    boxes = sorted(name.split("/")[1] for name in root.tree if name.startswith("containers/") and name.count("/") == 1)
    for box, other in zip(boxes, boxes[1:] + boxes[:1]):
        yield from of_box(root, box, other)
    yield Fault("delete directory", "containers", gone(root, "containers"), directory=True)


def choose(root, count):
    """<count> of all, a third of each group as far as it has so many."""
    groups = [[f for f in some if f] for some in (of_small_files(root), of_journal(root), of_boxes(root))]
    chosen = []
    for i, group in enumerate(groups):
        share = (count - len(chosen)) // (len(groups) - i)
        chosen += random.sample(group, min(len(group), share))
    random.shuffle(chosen)
    return chosen
