"""Images on a file system in memory: what has the same content is one file of many names, since a check only reads."""

import os
import shutil

from .model import LOCK


class Gallery:
    """A place for images, each a directory with the root in it."""

    def __init__(self, place):
        self.place = place
        self.contents = f"{place}/contents"
        os.mkdir(self.contents)
        self.kept = set()
        self.count = 0

    def content(self, world, digest, how):
        path = f"{self.contents}/{digest.hex()}"
        if digest not in self.kept:
            with open(path, "wb") as file:
                if how:
                    file.write(world.content(*how))
            self.kept.add(digest)
        return path

    def hang(self, world, image):
        """Write an image; returns the directory, in which the root may be missing."""
        self.count += 1
        where = f"{self.place}/{self.count}"
        os.mkdir(where)
        for path, file in image:
            if file is None:
                os.mkdir(where + path)
            elif path.endswith("/" + LOCK):
                open(where + path, "wb").close()  # a check writes its process number here
            else:
                os.link(self.content(world, *file), where + path)
        return where

    @staticmethod
    def take_down(where, image):
        """Remove what was hung, and the lock if a check had to make it."""
        paths = {path for path, _ in image}
        lock = f"{image[0][0]}/{LOCK}" if image else None
        if lock and lock not in paths:
            os.unlink(where + lock)
        for path, file in reversed(image):
            (os.rmdir if file is None else os.unlink)(where + path)
        os.rmdir(where)

    @staticmethod
    def copy(where, to):
        """A copy that may be written to."""
        shutil.copytree(where, to)
