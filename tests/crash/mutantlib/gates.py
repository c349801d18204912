"""What has to find the mutants.

A gate is a command that ends with 0 on good code and with 1 when it found something.  In the table it stands with its
arguments: `unit SUITE [CASE]`, `http SUITE [CASE]`, `explorer WORKLOAD`, `calls SERIES`, `damage`, `linear`.  {base} is
the normal build's directory, {out} the mutant's (the normal one's when the clean build is tried), {1} and {2} are the
arguments.

The programs named `clean` are tests from outside and built once, those named `planted` hold the service's code and are
linked with the bug."""

import os
import re
import signal
import subprocess
import tempfile
import time
from collections import namedtuple

from .build import TOP

# source: without it the gate is not there; tells: in the line that says what was found; mishap: words of a gate that
# failed itself; seeds: how many a mutant is tried with, where chance has a part in what is met
Gate = namedtuple("Gate", "source command clean planted environment tells mishap seeds", defaults=[":[FE]:", None, 1])
Verdict = namedtuple("Verdict", "status seconds text")

SECONDS = 300

GATES = {
    "unit": Gate("tests/unit/{1}.c", ["{out}/unit/{1}"], [], ["{out}/unit/{1}"], {"CK_RUN_CASE": "{2}"}),
    "http": Gate("tests/http/{1}.c", ["{base}/http/{1}"], ["{base}/http/{1}"], [],
                 {"TALLYD": "{out}/tallyd", "CK_RUN_CASE": "{2}"}),
    "explorer": Gate("tests/crash/explore",
                     ["tests/crash/explore", "--tallyd", "{out}/tallyd", "--workload", "{1}", "--seed", "{seed}",
                      "--until-violation", "--jobs", "1"], [], [], {}, "VIOLATION", "not explored", 3),
    "calls": Gate("tests/fault/test_calls.c", ["{out}/fault/test_calls", "{1}"], [], ["{out}/fault/test_calls"], {},
                  "FAILED"),
    "damage": Gate("tests/fault/damage", ["tests/fault/damage", "--tallyd", "{out}/tallyd", "--seed", "{seed}",
                                          "--count", "400", "--starts", "12"], [], [], {}, "FAILED",
                   "Traceback"),
    "linear": Gate("tests/linear/linear.c", ["{base}/linear/linear", "--operations", "20000", "--kills", "6",
                                             "--seed", "{seed}"], ["{base}/linear/linear"], [],
                   {"TALLYD": "{out}/tallyd"}, ":[FE]:", None, 3),
}


def split(words):
    """The gate of a row, and its two arguments; "" where there is none."""
    name, *arguments = words.split(" ", 2)
    return GATES[name], (arguments + ["", ""])[:2]


def fill(texts, words, base, out, seed=0):
    _, arguments = split(words)
    places = {"base": base, "out": out, "seed": seed, "1": arguments[0], "2": arguments[1]}
    for name, value in places.items():
        texts = [text.replace("{" + name + "}", str(value)) for text in texts]
    return texts


def clean_targets(words, base):
    gate, _ = split(words)
    return fill(gate.clean + gate.planted, words, base, base)


def planted_targets(words, base, out):
    gate, _ = split(words)
    return fill(gate.planted, words, base, out)


def missing(words):
    """The gate's source when it is not there."""
    source, = fill([split(words)[0].source], words, "", "")
    return None if (TOP / source).exists() else source


def environment(words, base, out, scratch):
    gate, _ = split(words)
    values = fill(list(gate.environment.values()), words, base, out)
    given = {name: value for name, value in zip(gate.environment, values) if value}
    return dict(os.environ, TMPDIR=scratch, **given)


def seeds(words, first):
    return range(first, first + split(words)[0].seeds)


def reason(words, text):
    """The line in which the gate says what it found."""
    lines = [line for line in text.splitlines() if re.search(split(words)[0].tells, line)]
    return lines[0].strip()[:150] if lines else "it does not say why"


def end_group(process):
    """A gate that meets a bug may leave servers behind: they are in its process group."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def run(words, base, out, seed):
    """Run the gate on what was built in <out>."""
    began = time.monotonic()
    base, out = TOP / base, TOP / out
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="mutant-", dir=memory) as scratch:
        with subprocess.Popen(fill(split(words)[0].command, words, base, out, seed), cwd=TOP, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                              env=environment(words, base, out, scratch), start_new_session=True) as process:
            try:
                text, _ = process.communicate(timeout=SECONDS)
                status = process.returncode
            except subprocess.TimeoutExpired:
                end_group(process)
                text, status = process.communicate()[0], "no end"
            end_group(process)
    mishap = split(words)[0].mishap
    if status == 1 and mishap and mishap in text:
        status = "a mishap of its own"
    return Verdict(status, time.monotonic() - began, text)
