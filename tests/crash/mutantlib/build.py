"""Builds the program, or any test program, with one seeded bug in it.

A mutant has a build directory of its own: copies of the objects of the normal build, but for those of the changed
sources.  All of them are newer than what they are made from, so make has nothing to do there but to link, and whatever
the Makefile knows to build can be built with the bug."""

import os
import pathlib
import shlex
import shutil
import subprocess

from .table import MUTANTS

TOP = pathlib.Path(__file__).resolve().parents[3]


class Broken(Exception):
    """The table does not fit the sources, or something does not build; the text says what."""


def place(base, number):
    """Where a mutant is built: beside the normal build."""
    return f"{pathlib.Path(base).parent}/mutant/{number}"


def find(number):
    for mutant in MUTANTS:
        if mutant.number == number:
            return mutant
    raise Broken(f"there is no mutant {number}")


def plant(text, edit, number):
    """<text> with both ways in it; what is compiled decides -DMUTANT=<number>."""
    lines = "\n" + text
    places = lines.count("\n" + edit.old)
    if places != 1:
        raise Broken(f"mutant {number}: {edit.file} holds {places} times, not once:\n{edit.old}")
    both = f"#if MUTANT == {number}\n{edit.new}#else\n{edit.old}#endif\n"
    return lines.replace("\n" + edit.old, "\n" + both)[1:]


def planted_sources(mutant):
    """{file: text} of all that the mutant changes."""
    sources = {}
    for edit in mutant.edits:
        text = sources.get(edit.file) or (TOP / edit.file).read_text(encoding="utf-8")
        sources[edit.file] = plant(text, edit, mutant.number)
    return sources


def make(out, variables, targets):
    """Build with the Makefile.  Nothing of an outer make gets in."""
    outer = ("MAKE", "MFLAGS", "GNUMAKE")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(outer)}
    command = ["make", "-s", "-j2", f"OUT={out}", *variables, *map(str, targets)]
    done = subprocess.run(command, cwd=TOP, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0:
        raise Broken(f"{' '.join(command)} fails:\n{done.stdout[-4000:]}")


def flags_of(base):
    return (base / "flags").read_text(encoding="utf-8")


def copy_tree(base, out):
    """All objects and what is generated, with their times, under the flags they were compiled with."""
    for part in ("obj", "gen"):
        shutil.copytree(base / part, out / part, ignore=shutil.ignore_patterns("*.d"))
    shutil.copy2(base / "commit", out / "commit")
    (out / "flags").write_text(flags_of(base).replace(f"-I{base}/gen", f"-I{out}/gen"), encoding="utf-8")
    times = (base / "flags").stat()
    os.utime(out / "flags", ns=(times.st_atime_ns, times.st_mtime_ns))


def compile_planted(base, out, number, file, text):
    """The object of one changed source; its time, by which is seen that make let it be."""
    source, made = out / "src" / file, out / "obj" / pathlib.Path(file).with_suffix(".o")
    source.parent.mkdir(parents=True, exist_ok=True)
    source.write_text(text, encoding="utf-8")
    command = shlex.split(flags_of(base))
    command += ["-w", "-MF", "/dev/null", f"-DMUTANT={number}", "-c", "-o", str(made), str(source)]
    done = subprocess.run(command, cwd=TOP, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0:
        raise Broken(f"mutant {number} does not compile:\n{done.stdout[-4000:]}")
    return made, made.stat().st_mtime_ns


def build(number, base, out, variables, targets):
    """Build <targets> (paths below <out>) with mutant <number>, beside the normal build in <base>."""
    sources = planted_sources(find(number))
    shutil.rmtree(TOP / out, ignore_errors=True)
    (TOP / out).mkdir(parents=True)
    base, out = pathlib.Path(base), pathlib.Path(out)
    os.chdir(TOP)
    copy_tree(base, out)
    planted = [compile_planted(base, out, number, file, text) for file, text in sources.items()]
    make(out, variables, targets)
    for made, time in planted:
        if made.stat().st_mtime_ns != time:
            raise Broken(f"mutant {number}: make compiled {made} anew, without the bug")
