"""A mutant must be a bug, not a wreck: it serves, stops in order, and finds again what it was told."""

import json
import subprocess
import tempfile

from cutlib.server import Server


def wreck(program):
    """What is wrong with the program on a sunny day; None when nothing is."""
    with tempfile.TemporaryDirectory(prefix="mutant-") as root:
        try:
            with Server(program, root) as server:
                made = server.request("PUT", "/containers/one", {"name": "first"})
                seen = server.request("GET", "/containers/one")
                status = server.stop()
        except OSError as fault:
            return str(fault)
        if made != 201 or seen != 200 or status != 0:
            return f"PUT {made}, GET {seen}, exit status {status}"
        found = subprocess.run([program, "--root", root, "--check-root", "--json"], stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=30, check=False)
        if found.returncode != 0 or [c["id"] for c in json.loads(found.stdout)["containers"]] != ["one"]:
            return f"after a clean stop: exit status {found.returncode}, {found.stdout}{found.stderr}"
    return None
