"""What went over the server's connections: where in the stream a request was taken, and where its answer was given."""

import re

REQUEST_ID = re.compile(rb"\r\nX-Request-Id: *(\S+)\r\n", re.I)
STATUS = re.compile(rb"HTTP/1\.[01] (\d{3}) ")
ETAG = re.compile(rb'\r\nETag: *"(\d+)"\r\n', re.I)
REVISION = re.compile(rb'"revision":"(\d+)"')
RECEIVE = frozenset(("recvfrom", "recvmsg", "read", "readv"))
SEND = frozenset(("sendto", "sendmsg", "write", "writev"))


class Answer:
    """<at>: where its first bytes were about to be sent; from there on it counts as given."""

    __slots__ = ("at", "status", "revision", "text")

    def __init__(self, at, text):
        self.at, self.text = at, text
        self.status = int(STATUS.match(text)[1])
        etag = ETAG.search(text)
        self.revision = int(etag[1]) if etag else None


class Wire:
    """Several servers' connections, one after the other."""

    def __init__(self):
        self.taken = {}    # request id -> where it was received
        self.answers = {}  # request id -> Answer
        self.shown = []    # (where, revision): every revision that a client was shown

    def follow(self, calls):
        connections, answering = set(), {}
        # A descriptor is a connection when accept has ended, and is none from the moment its close began.
        for call in sorted(calls, key=lambda c: c.end if c.end and c.name.startswith("accept") else c.start):
            descriptor = call.descriptor()
            if call.name in ("accept", "accept4"):
                if call.result is not None and call.result >= 0:
                    connections.add(call.result)
                    answering.pop(call.result, None)
            elif descriptor not in connections:
                continue
            elif call.name == "close":
                connections.discard(descriptor)
            elif call.name in RECEIVE and call.result:
                self.take(call, b"".join(call.texts()))
            elif call.name in SEND:
                self.give(call, b"".join(call.texts()), descriptor, answering)

    def take(self, call, text):
        for found in REQUEST_ID.finditer(text):
            self.taken[found[1].decode()] = call.start

    def give(self, call, text, descriptor, answering):
        if STATUS.match(text):
            answer = answering[descriptor] = Answer(call.start, text)
            found = REQUEST_ID.search(text)
            if found:
                self.answers[found[1].decode()] = answer
            if answer.revision is not None:
                self.shown.append((call.start, answer.revision))
        elif descriptor in answering:
            answering[descriptor].text += text
        for revision in REVISION.findall(text):
            self.shown.append((call.start, int(revision)))
