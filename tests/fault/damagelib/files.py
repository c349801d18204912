"""A root as values: its files' bytes, and the way back to them after something was done to one."""

import os
import pathlib
import shutil


def read_tree(place):
    """{relative path: bytes, or None for a directory}, the lock's number apart."""
    tree = {}
    for path in sorted(pathlib.Path(place).rglob("*")):
        name = str(path.relative_to(place))
        tree[name] = None if path.is_dir() else path.read_bytes()
    return tree


def write_file(path, data):
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(fd, "wb") as f:
        f.write(data)


def write_tree(place, tree):
    os.makedirs(place, 0o700)
    for name, data in tree.items():
        if data is None:
            os.makedirs(os.path.join(place, name), 0o700, exist_ok=True)
        else:
            write_file(os.path.join(place, name), data)


def remove(path):
    if os.path.isdir(path):
        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.unlink(path)


def put_right(place, tree, touched):
    """Make <touched> (files, or directories with all below) as they are in the tree again."""
    for name in sorted(touched):
        path = os.path.join(place, name)
        if tree.get(name) is None:
            remove(path)
        for below, data in tree.items():
            if below == name or below.startswith(name + "/"):
                if data is None:
                    os.makedirs(os.path.join(place, below), 0o700, exist_ok=True)
                else:
                    write_file(os.path.join(place, below), data)


def look(place):
    """What a load must leave as it is: names, kinds, sizes, times and numbers of all that lies there."""
    seen, left = [], [place]
    while left:
        with os.scandir(left.pop()) as entries:
            for entry in entries:
                st = entry.stat(follow_symlinks=False)
                if entry.is_dir(follow_symlinks=False):
                    left.append(entry.path)
                if entry.name != "lock":
                    seen.append((entry.path, st.st_mode, st.st_size, st.st_mtime_ns, st.st_ino))
    return sorted(seen)
