"""What the model must refuse to follow.  A run begins with it: a model that lets these pass would prove nothing."""

import tempfile

from .model import Disk
from .trace import NotUnderstood, read_calls

# {root} stands for the root's path, {x} for the name of a file in it: descriptor 5 is the root, 6 the file.
BEGINNING = """1  openat(AT_FDCWD, "{root}", O_RDONLY|O_DIRECTORY) = 5
1  openat(5, "{x}", O_WRONLY|O_CREAT|O_EXCL, 0600) = 6
"""
REFUSED = (
    "mmap(NULL, 4096, PROT_READ|PROT_WRITE, MAP_SHARED, 6, 0) = 0x7f0000000000",
    "io_uring_setup(8, {flags=0}) = 9",
    "sendfile(6, 9, NULL, 10) = 10",
    "sendfile(9, 6, NULL, 10) = 10",
    "copy_file_range(9, NULL, 6, NULL, 10, 0) = 10",
    'linkat(5, "{x}", 5, "{x}", 0) = 0',
    'link("{root}", "{x}") = 0',
    'write(6, "{x}", 1) = 1',
    "fallocate(6, 0, 0, 10) = 0",
    "syncfs(6) = 0",
    "fchdir(5) = 0",
    'pwrite64(6, "{x}"..., 10, 0) = 10',
    'renameat2(5, "{x}", 5, "{x}", RENAME_EXCHANGE) = 0',
)
FOLLOWED = (
    "mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, 9, 0) = 0x7f0000000000",
    'pwrite64(6, "{x}", 1, 0) = 1',
    'write(2, "{x}", 1) = 1',
    "fsync(6) = 0",
)


def is_followed(line):
    """Does the model take this call?"""
    text = BEGINNING + "1  " + line + "\n"
    for name, stands_for in (("{root}", "/w/root"), ("{x}", "x")):
        text = text.replace(name, "".join(f"\\x{ord(c):02x}" for c in stands_for))
    with tempfile.NamedTemporaryFile("w", encoding="ascii") as trace:
        trace.write(text)
        trace.flush()
        disk = Disk("/w/root")
        disk.adopt({"root": {}})
        try:
            calls, end = read_calls(trace.name, 1)
            disk.follow(calls, end)
        except NotUnderstood:
            return False
    return True


def wrong():
    """The calls about which the model is mistaken."""
    return [line for line in REFUSED if is_followed(line)] + [line for line in FOLLOWED if not is_followed(line)]
