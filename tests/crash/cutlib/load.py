"""Several connections that create, change and delete, and remember what they were told.

Each container belongs to one connection, so its changes have an order.  What it looks like is a function of its id, the
version that made it and its newest version: whoever knows these can tell whether what is found is right to the byte."""

import hashlib
import http.client
import json
import random
import threading
from collections import namedtuple

# The newest creation and the newest change of a container; None in their place: there is none.
State = namedtuple("State", "made version")

DELETE_ONE_IN = 7


def value(ident, state):
    """(name, message) of a container in this state."""
    filler = hashlib.sha256(f"{ident} {state.version}".encode()).hexdigest() * (1 + state.version % 5)
    return f"made-{state.made}", f"{state.version} {filler}"


class Key:
    """What one connection knows of one container of its own."""

    def __init__(self, ident):
        self.ident = ident
        self.acked = None     # newest acknowledged state
        self.tried = None     # state asked for last; another than <acked> while its outcome is unknown
        self.versions = 0
        self.revision = 0     # newest that was shown


class Client(threading.Thread):
    """One connection: works until told to stop, or until the server does not take changes any more."""

    def __init__(self, port, keys, seed, stop):
        super().__init__(daemon=True)
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        self.keys, self.random, self.told_to_stop = keys, random.Random(seed), stop
        self.acked = self.deleted = 0
        self.odd = None  # an answer that nothing explains

    def run(self):
        try:
            while not self.told_to_stop.is_set() and self.change(self.random.choice(self.keys)):
                pass
        except (OSError, http.client.HTTPException):
            pass  # dead meanwhile: nobody knows what became of the last one
        finally:
            self.connection.close()

    def choose(self, key):
        """The next state of a container, and the request for it."""
        key.versions += 1
        if key.acked is None:
            state = State(key.versions, key.versions)
            name, message = value(key.ident, state)
            return state, "PUT", "", {"name": name, "status": {"message": message}}
        if self.random.randrange(DELETE_ONE_IN) == 0:
            return None, "DELETE", "", None
        state = State(key.acked.made, key.versions)
        return state, "PATCH", "/status", {"message": value(key.ident, state)[1]}

    def change(self, key):
        """One change.  False when it was not taken."""
        key.tried, method, below, body = self.choose(key)
        media_type = "application/merge-patch+json" if method == "PATCH" else "application/json"
        self.connection.request(method, f"/containers/{key.ident}{below}", body and json.dumps(body),
                                {"Content-Type": media_type} if body else {})
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status in (200, 201, 204):
            self.note(key, method, text)
            return True
        if answer.status in (503, 507) and b'"outcome":"unknown"' not in text.replace(b" ", b""):
            key.tried = key.acked  # certainly absent
        elif answer.status not in (503, 507):
            self.odd = f"{method} {key.ident}: {answer.status} {text[:200]!r}"
        return False

    def note(self, key, method, text):
        key.acked = key.tried
        self.acked += 1
        self.deleted += method == "DELETE"
        if text and method != "DELETE":
            key.revision = int(json.loads(text)["revision"])


class Load:
    """All connections of one life of the server."""

    def __init__(self, port, ledger, connections, seed):
        self.stop = threading.Event()
        shares = [ledger[i::connections] for i in range(connections)]
        self.clients = [Client(port, share, f"{seed} {i}", self.stop) for i, share in enumerate(shares)]
        for client in self.clients:
            client.start()

    def acked(self):
        return sum(client.acked for client in self.clients)

    def deleted(self):
        return sum(client.deleted for client in self.clients)

    def running(self):
        return any(client.is_alive() for client in self.clients)

    def end(self):
        """Wait for the connections' end; what was odd about answers, or None."""
        self.stop.set()
        for client in self.clients:
            client.join()
        return next((client.odd for client in self.clients if client.odd), None)
