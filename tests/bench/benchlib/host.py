"""The machine: processors, packages, the programs to build, the place on a real disk."""

import os
import pathlib
import resource
import shutil
import subprocess
import time

HERE = pathlib.Path(__file__).resolve().parent.parent
TOP = HERE.parent.parent

# command or file that shows it is there -> Debian package
PACKAGES = {
    "cc": "gcc",
    "make": "make",
    "taskset": "util-linux",
    "nginx": "nginx-light",
    "wrk": "wrk",
    "/usr/include/microhttpd.h": "libmicrohttpd-dev",
    "/usr/include/jansson.h": "libjansson-dev",
}


class NotMeasured(Exception):
    """Something could not be measured; the text says what and why."""


def find(command):
    """nginx lives in sbin, which is not in everybody's PATH."""
    return shutil.which(command, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def present(what):
    return os.path.exists(what) if what.startswith("/") else find(what) is not None


def install_missing():
    """Install by apt-get what is missing, as root.  Returns what is missing all the same."""
    missing = sorted({package for what, package in PACKAGES.items() if not present(what)})
    if missing and os.geteuid() == 0 and find("apt-get"):
        env = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
        apt = ["apt-get", "-q", "-y", "-o", "DPkg::Lock::Timeout=120"]
        subprocess.run(apt + ["update"], env=env, stdout=subprocess.DEVNULL, check=False)
        subprocess.run(apt + ["install", "--no-install-recommends"] + missing, env=env,
                       stdout=subprocess.DEVNULL, check=False)
    return [what for what in PACKAGES if not present(what)]


def build(out):
    """Build load and yardstick into <out>."""
    made = subprocess.run(["make", "-s", "-C", str(HERE), f"OUT={out}"], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if made.returncode != 0:
        raise NotMeasured("the benchmark's own programs do not build:\n" + made.stdout)


class Processors:
    """The load generator has the last processor to itself; a server that is measured apart has the others.

    With one processor everything shares it, and the rates say little; CPU per request still does."""

    def __init__(self):
        self.all = sorted(os.sched_getaffinity(0))
        self.generator = self.all[-1:]
        self.server = self.all[:-1] or self.all

    @staticmethod
    def pinned(command, processors):
        return ["taskset", "-c", ",".join(map(str, processors))] + command


def raise_descriptor_limit(wanted=16384):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))


def file_system(path):
    """Type of the file system that holds <path>, from the longest mount point above it."""
    best, kind = "", "unknown"
    path = os.path.realpath(path)
    with open("/proc/self/mounts", encoding="utf-8") as mounts:
        for line in mounts:
            point, this = line.split()[1:3]
            inside = path == point or path.startswith(point.rstrip("/") + "/")
            if inside and len(point) >= len(best):
                best, kind = point, this
    return kind


def busy_share(seconds=1.0):
    """Share of all processors' time that somebody uses while we use none."""
    def read():
        with open("/proc/stat", encoding="ascii") as stat:
            times = [int(word) for word in stat.readline().split()[1:9]]
        return sum(times), times[3] + times[4]  # idle and waiting for the disk
    all_before, idle_before = read()
    time.sleep(seconds)
    all_after, idle_after = read()
    return 1 - (idle_after - idle_before) / max(1, all_after - all_before)


def describe(processors, place):
    release = os.uname().release
    model = "unknown processor"
    with open("/proc/cpuinfo", encoding="utf-8") as info:
        for line in info:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    return {"processors": len(processors.all), "model": model, "kernel": release,
            "file_system": file_system(place), "busy_before": busy_share()}
