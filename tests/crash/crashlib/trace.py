"""strace's text as calls, each with the line it began on and the line it ended on."""

import re

START = re.compile(r"(\d+) +(\w+)\((.*)", re.S)
RESUMED = re.compile(r"(\d+) +<\.\.\. (\w+) resumed>(.*)", re.S)
END = re.compile(r"\)? += (-?\d+|0x[0-9a-f]+|\?)(?: (E[A-Z]+))?(?: .*)?$", re.S)
TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"(\.\.\.)?')
UNFINISHED = (" <unfinished ...>", " <detached ...>")


class NotUnderstood(Exception):
    """The trace shows what the model cannot follow: nothing may be concluded from it."""


class Call:
    """One system call.  <end> and <result> are None when the process was killed in it."""

    __slots__ = ("thread", "name", "arguments", "start", "end", "result", "error")

    def __init__(self, thread, name, arguments, start):
        self.thread, self.name, self.arguments, self.start = thread, name, arguments, start
        self.end = self.result = self.error = None

    def finish(self, rest, line):
        # From the right: arguments may be megabytes long, the result is short.
        cut = max(rest.rfind(") = "), rest.rfind(")  "))
        found = END.match(rest, cut) if cut >= 0 else None
        if not found:
            raise NotUnderstood(f"line {line}: no result in ...{rest[-80:]!r}")
        self.arguments += rest[:cut]
        if found[1] == "?":
            return
        self.end, self.result, self.error = line, int(found[1], 0), found[2]

    def texts(self):
        """The strings among the arguments, whole."""
        found = TEXT.findall(self.arguments)
        if any(cut for _, cut in found):
            raise NotUnderstood(f"{self.name}: a buffer was cut short")
        return [bytes.fromhex(text.replace("\\x", "")) for text, _ in found]

    def words(self):
        """The arguments that are no strings, split; strings are empty quotes."""
        return [word.strip() for word in TEXT.sub('""', self.arguments).split(",")]

    def descriptor(self):
        word = self.arguments.split(",", 1)[0].strip()
        return int(word) if word.lstrip("-").isdigit() else None

    def __str__(self):
        result = "?" if self.result is None else self.error or self.result
        shown = TEXT.sub(lambda m: f"<{len(m[1]) // 4} bytes>" if len(m[1]) > 160 else repr(
            bytes.fromhex(m[1].replace("\\x", "")).decode("utf-8", "replace")), self.arguments)
        return f"{self.name}({shown}) = {result}"


def read_calls(path, first_line, ignored=frozenset()):
    """The calls of a trace, in the order in which they began, and the number of the line behind the last.

    Lines are numbered from <first_line> on, so that several traces make one stream."""
    calls, under_way, line = [], {}, first_line
    with open(path, encoding="ascii") as trace:
        for line, text in enumerate(trace, first_line):
            text = text.rstrip("\n")
            resumed = RESUMED.match(text)
            if resumed:
                call = under_way.pop(resumed[1], None)
                if call:
                    call.finish(resumed[3], line)
                continue
            start = START.match(text)
            if not start or start[2] in ignored:
                continue  # signals and ends of threads
            call = Call(start[1], start[2], "", line)
            calls.append(call)
            if text.endswith(UNFINISHED):
                call.arguments = start[3][:start[3].rindex(" <")]
                under_way[start[1]] = call
            else:
                call.finish(start[3], line)
    return calls, line + 1
