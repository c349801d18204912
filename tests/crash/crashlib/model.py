"""What a disk was told: inodes, names, and when each change of them became durable.

A change is issued where its call begins, and durable from the end of the first successful fsync or fdatasync of its
inode (of the directory, for names) that began after the change had ended.  What was pending at a failed sync is
doubtful for ever: the kernel calls the pages clean, so that a later success proves nothing."""

import bisect
import copy
import itertools
import re

from .trace import NotUnderstood

NEVER = float("inf")
SEGMENT = re.compile("[0-9a-f]{16}")
NO_DESCRIPTOR = -1
LOCK = "lock"  # its content is for people and never read: nothing of it is modelled

# Calls on descriptors of the store that change nothing a crash could take away.
HARMLESS = frozenset("""fstat newfstatat fstatfs statx getdents64 pread64 read lseek flock ioctl fadvise64
    fchmod fchmodat faccessat faccessat2 readlink readlinkat access stat lstat statfs""".split())
OF_TWO = frozenset(("sendfile", "copy_file_range", "splice"))  # their second descriptor may be the store's


class Op:
    """One change.  <sets>: names it gives to inodes (None: takes away), all at once.  Else bytes, or a new size."""

    __slots__ = ("number", "inode", "start", "end", "durable", "sets", "at", "data", "size", "call")

    def __init__(self, number, inode, call):
        self.number, self.inode, self.call = number, inode, call
        self.start, self.end = call.start, call.end if call.end is not None else NEVER
        self.durable = NEVER
        self.sets = self.data = self.size = self.at = None

    def order(self):
        return (self.end, self.start)


class Inode:
    """<now> is what the running system sees: the bytes of a file, the entries of a directory."""

    __slots__ = ("number", "is_directory", "now", "unsynced", "failed_at", "is_lock")

    def __init__(self, number, is_directory, is_lock=False):
        self.number, self.is_directory, self.is_lock = number, is_directory, is_lock
        self.now = {} if is_directory else bytearray()
        self.unsynced, self.failed_at = [], -1


def patch(content, op_at, data):
    if len(content) < op_at:
        content.extend(bytes(op_at - len(content)))
    content[op_at:op_at + len(data)] = data


class Disk:
    """Follows the calls of one server after the other on one root.  The world is the directory above the root."""

    def __init__(self, root):
        self.root = root
        self.above, self.name = root.rsplit("/", 1)
        self.inodes, self.ops = [], []
        self.world = self.new_inode(True)
        self.base = {}  # what was there, durably, before the first call: inode -> content
        self.handles = {}

    def new_inode(self, is_directory, is_lock=False):
        inode = Inode(len(self.inodes), is_directory, is_lock)
        self.inodes.append(inode)
        return inode

    def adopt(self, tree, directory=None):
        """Begin with what is there: nested dictionaries of names, bytes for files.  All of it is durable."""
        directory = directory or self.world
        for name, content in tree.items():
            inode = self.new_inode(isinstance(content, dict), name == LOCK)
            directory.now[name] = inode
            if inode.is_directory:
                self.adopt(content, inode)
            elif not inode.is_lock:
                inode.now[:] = content
            if not inode.is_directory:
                self.base[inode.number] = bytes(inode.now)
        self.base[directory.number] = {name: inode.number for name, inode in directory.now.items()}

    # ---- names ----

    def resolve(self, path):
        """(directory, name) of an absolute path at or below the root, (world, None) for the one above; else None."""
        path = re.sub(r"(/\.)+$", "", path.rstrip("/"))
        if path == self.above:
            return self.world, None
        if path != self.root and not path.startswith(self.root + "/"):
            return None
        directory, names = self.world, path[len(self.above) + 1:].split("/")
        for name in names[:-1]:
            directory = directory.now.get(name) if directory else None
        return directory, names[-1]

    def place(self, directory_word, name):
        """Where a name relative to a descriptor lies: (directory, name), or None when it is not of the store."""
        if name.startswith("/"):
            return self.resolve(name)
        if not directory_word.lstrip("-").isdigit():
            return None
        directory = self.handles.get(int(directory_word))
        if directory is None:
            return None
        if name == "..":
            return (self.world, None) if directory is self.world.now.get(self.name) else None
        if name == ".":
            return directory, None
        if "/" in name:
            raise NotUnderstood(f"a path below a descriptor: {name}")
        return directory, name

    # ---- following ----

    def follow(self, calls, life_end):
        """Take over all calls of one server.  Returns those that it was killed in, to be settled."""
        under_way = []
        self.handles = {}
        # A descriptor is free from the moment its close began; everything else has happened when it ended.
        for call in sorted(calls, key=lambda c: c.start if c.name == "close" or c.end is None else c.end):
            if call.end is not None or call.name == "close":
                self.take(call)
            elif call.name in CHANGES and self.concerns(call):
                under_way.append(call)
        return under_way

    def concerns(self, call):
        if call.name in OF_TWO and any(word.isdigit() and int(word) in self.handles for word in call.words()):
            return True
        return call.descriptor() in self.handles or any(
            text.startswith(self.root.encode()) for text in call.texts()[:2])

    def take(self, call):
        effect = EFFECTS.get(call.name)
        if effect:
            effect(self, call)
        elif call.name not in HARMLESS and self.concerns(call):
            raise NotUnderstood(f"line {call.start}: {call} on what belongs to the store")

    def add(self, inode, call):
        op = Op(len(self.ops), inode.number, call)
        self.ops.append(op)
        if op.start > inode.failed_at:
            inode.unsynced.append(op)
        return op

    def set_names(self, directory, call, sets):
        op = self.add(directory, call)
        op.sets = tuple((name, inode.number if inode else None) for name, inode in sets)
        for name, inode in sets:
            if inode:
                directory.now[name] = inode
            else:
                directory.now.pop(name, None)

    def open(self, call):
        words, flags = call.words(), call.arguments.rsplit('"', 1)[1]
        if call.error:
            return
        if "O_TMPFILE" in flags:
            raise NotUnderstood(f"line {call.start}: {call}")
        found = self.place(words[0] if call.name == "openat" else "", call.texts()[0].decode())
        if not found:
            self.handles.pop(call.result, None)
            return
        directory, name = found
        inode = directory.now.get(name) if name else directory
        if inode is None:
            if "O_CREAT" not in flags:
                raise NotUnderstood(f"line {call.start}: {call}: nothing is known to be there")
            inode = self.new_inode(False, name == LOCK)
            self.set_names(directory, call, [(name, inode)])
        elif "O_TRUNC" in flags and inode.now:
            self.resize(inode, call, 0)
        self.handles[call.result] = inode

    def resize(self, inode, call, size):
        op = self.add(inode, call)
        op.size = size
        del inode.now[size:]
        inode.now.extend(bytes(size - len(inode.now)))

    def truncate(self, call):
        inode = self.handles.get(call.descriptor())
        if inode and not call.error:
            self.resize(inode, call, int(call.words()[1]))

    def write(self, call):
        inode = self.handles.get(call.descriptor())
        if inode is None or inode.is_lock or call.error or call.result == 0:
            return
        op = self.add(inode, call)
        op.at = int(call.words()[-1])
        op.data = call.texts()[0][:call.result]
        patch(inode.now, op.at, op.data)

    def close(self, call):
        self.handles.pop(call.descriptor(), None)

    def duplicate(self, call):
        inode = self.handles.get(call.descriptor())
        if call.name == "fcntl" and "F_DUPFD" not in call.arguments:
            return
        if inode and not call.error:
            self.handles[call.result] = inode

    def sync(self, call):
        inode = self.handles.get(call.descriptor())
        if inode is None or call.error == "EINTR":
            return
        if call.error:
            inode.failed_at = call.end
            inode.unsynced = []
            return
        late = []
        for op in inode.unsynced:
            if op.end < call.start:
                op.durable = call.end
            else:
                late.append(op)
        inode.unsynced = late

    def make_directory(self, call):
        words = call.words()
        found = None if call.error else self.place(words[0], call.texts()[0].decode())
        if found:
            self.set_names(found[0], call, [(found[1], self.new_inode(True))])

    def unlink(self, call):
        found = None if call.error else self.place(call.words()[0], call.texts()[0].decode())
        if found:
            self.set_names(found[0], call, [(found[1], None)])

    def rename(self, call):
        words, texts = call.words(), call.texts()
        source, target = self.place(words[0], texts[0].decode()), self.place(words[2], texts[1].decode())
        if call.error or not (source or target):
            return
        if not source or not target or source[0] is not target[0] or "EXCHANGE" in call.arguments:
            raise NotUnderstood(f"line {call.start}: {call}")
        moved = source[0].now.get(source[1])
        if moved is None:
            raise NotUnderstood(f"line {call.start}: {call}: nothing is known to be there")
        self.set_names(source[0], call, [(source[1], None), (target[1], moved)])

    def map(self, call):
        words = call.words()
        if words[4].lstrip("-").isdigit() and int(words[4]) in self.handles and "MAP_SHARED" in call.arguments:
            raise NotUnderstood(f"line {call.start}: a shared mapping of what belongs to the store: {call}")

    def ring(self, call):
        raise NotUnderstood(f"line {call.start}: {call.name}: what goes through io_uring is not seen")

    # ---- what the journal has made durable ----

    def relaxed_durability(self):
        """A function of where an answer without sync was given: where its change has to be durable.

        The change stands in the last write to a segment that ended before, or in one before that: a sync of that file
        which began later covers it, once the file bears its name durably."""
        named = {}
        for op in self.ops:
            for name, number in op.sets or ():
                if number is not None and SEGMENT.fullmatch(name):
                    named.setdefault(number, op.durable)
        writes = sorted((op.end, max(op.durable, named[op.inode])) for op in self.ops
                        if op.data and op.inode in named and op.data.strip(b"\0"))
        ends = [end for end, _ in writes]

        def durable_from(answered):
            place = bisect.bisect_left(ends, answered)
            return writes[place - 1][1] if place else NEVER
        return durable_from

    # ---- the end of a server ----

    def tree(self, directory=None):
        directory = directory or self.world
        return {name: self.tree(i) if i.is_directory else b"" if i.is_lock else bytes(i.now)
                for name, i in directory.now.items()}

    def settle(self, under_way, actual, life_end):
        """Which of the calls that the server was killed in have happened?  Those that explain the directory as it is.

        The disk with them: a copy, unless there were none.  That the rest explains the directory, byte for byte, is
        what entitles us to speak of it."""
        writes = [call.name == "pwrite64" for call in under_way]
        for happened in itertools.product((True, False), repeat=len(under_way) - sum(writes)):
            trial, calls = copy.deepcopy((self, under_way)) if under_way else (self, [])
            others = [call for call, is_write in zip(calls, writes) if not is_write]
            for call in itertools.compress(others, happened):
                trial.finish(call, life_end, NO_DESCRIPTOR)
            for call in itertools.compress(calls, writes):
                trial.finish(call, life_end, trial.length_written(call, actual))
            if trial.tree() == actual:
                return trial
        raise NotUnderstood("the trace does not explain what the directory holds: " +
                            first_difference(self.tree(), actual))

    def length_written(self, call, actual):
        """How far a write came that was cut off."""
        there = self.bytes_of(self.handles.get(call.descriptor()), self.world, actual)
        data, at = call.texts()[0], int(call.words()[-1])
        there = (there or b"")[at:at + len(data)]
        if there == data:
            return len(data)
        return next((i for i, (a, b) in enumerate(zip(there, data)) if a != b), len(there))

    def bytes_of(self, inode, directory, actual):
        """What the directory as it is holds of a file; None when the file has no name any more."""
        for name, child in directory.now.items():
            if child is inode:
                return actual.get(name)
            if child.is_directory and isinstance(actual.get(name), dict):
                found = self.bytes_of(inode, child, actual[name])
                if found is not None:
                    return found
        return None

    def finish(self, call, life_end, result):
        call.end, call.result = life_end, result
        EFFECTS[call.name](self, call)


def first_difference(a, b, path=""):
    for name in sorted(set(a) | set(b)):
        x, y = a.get(name), b.get(name)
        if isinstance(x, dict) and isinstance(y, dict) and x != y:
            return first_difference(x, y, f"{path}/{name}")
        if x != y:
            told = ["is missing" if z is None else "is a directory" if isinstance(z, dict) else f"has {len(z)} bytes"
                    for z in (x, y)]
            return f"{path}/{name} {told[0]} by the trace and {told[1]} there"
    return "nothing"


EFFECTS = {"open": Disk.open, "openat": Disk.open, "pwrite64": Disk.write, "ftruncate": Disk.truncate,
           "close": Disk.close, "dup": Disk.duplicate, "dup2": Disk.duplicate, "dup3": Disk.duplicate,
           "fcntl": Disk.duplicate, "fsync": Disk.sync, "fdatasync": Disk.sync, "mkdir": Disk.make_directory,
           "mkdirat": Disk.make_directory, "unlinkat": Disk.unlink, "renameat2": Disk.rename, "renameat": Disk.rename,
           "mmap": Disk.map, "io_uring_setup": Disk.ring, "io_uring_enter": Disk.ring, "io_setup": Disk.ring}
CHANGES = frozenset(("open", "openat", "pwrite64", "ftruncate", "mkdir", "mkdirat", "unlinkat", "renameat2",
                     "renameat"))
