"""A file system in a file, mounted through a loop device, whose power can be cut.

The cut is the shutdown ioctl that ext4 and XFS have in common, without a flush of their logs: from that moment
nothing reaches the image, and what was in memory is gone with the mount.  The next mount replays the log as after a
real cut."""

import fcntl
import os
import pathlib
import shutil
import struct
import subprocess

GOING_DOWN = 0x8004587D  # _IOR('X', 125, __u32): EXT4_IOC_SHUTDOWN, XFS_IOC_GOINGDOWN
NO_LOG_FLUSH = 2
CAP_SYS_ADMIN = 21

# name: (package of its mkfs, size of the image in MiB: the least that mkfs takes with room to work, mkfs options)
KINDS = {
    "ext4": ("e2fsprogs", 128, ["-q", "-F"]),
    "xfs": ("xfsprogs", 320, ["-q", "-f"]),
}


class NotAllowed(Exception):
    """It cannot be done here; the text says what it needs."""


def may_mount():
    with open("/proc/self/status", encoding="ascii") as status:
        for line in status:
            if line.startswith("CapEff:"):
                return bool(int(line.split()[1], 16) >> CAP_SYS_ADMIN & 1)
    return False


def tool(name, package):
    """mkfs and mount live in sbin, which is not in everybody's PATH."""
    path = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if not path:
        raise NotAllowed(f"needs {name} (package {package})")
    return path


def call(*command):
    return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, timeout=60, check=False)


class Disk:
    """A fresh file system below <place>, mounted; what is left of it goes with the block."""

    def __init__(self, kind, place):
        if not may_mount() or not os.path.exists("/dev/loop-control"):
            raise NotAllowed("needs CAP_SYS_ADMIN and /dev/loop")
        package, self.size, self.options = KINDS[kind]
        self.mkfs, self.mount_tool = tool("mkfs." + kind, package), tool("mount", "mount")
        self.umount_tool = tool("umount", "mount")
        self.kind = kind
        self.image = pathlib.Path(place) / (kind + ".img")
        self.point = pathlib.Path(place) / kind
        self.mounted = False

    def __enter__(self):
        with open(self.image, "wb") as image:
            image.truncate(self.size << 20)
        made = call(self.mkfs, *self.options, str(self.image))
        if made.returncode != 0:
            raise OSError(f"mkfs.{self.kind}: {made.stdout}")
        self.point.mkdir()
        try:
            self.mount()
        except OSError as fault:
            raise NotAllowed(f"cannot mount {self.kind} here: {fault}") from fault
        return self

    def __exit__(self, *_):
        if self.mounted:
            self.unmount()

    def mount(self):
        done = call(self.mount_tool, "-t", self.kind, "-o", "loop", str(self.image), str(self.point))
        if done.returncode != 0:
            raise OSError(done.stdout.strip())
        self.mounted = True

    def unmount(self):
        """The loop device goes with its mount.  Who still holds a file must not keep it from going."""
        done = call(self.umount_tool, str(self.point))
        if done.returncode != 0:
            call(self.umount_tool, "-l", str(self.point))
        self.mounted = False
        if done.returncode != 0:
            raise OSError(f"umount: {done.stdout.strip()}")

    def cut_power(self):
        point = os.open(self.point, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.ioctl(point, GOING_DOWN, struct.pack("I", NO_LOG_FLUSH))
        finally:
            os.close(point)
