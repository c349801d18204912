"""One tallyd on a root, as a child process: started, asked, stopped or killed, by its own number."""

import http.client
import json
import re
import subprocess
import threading

START_SECONDS = 30
STOP_SECONDS = 20


class Server:
    """Starts at once and waits until writes are served; ends with the block at the latest."""

    def __init__(self, program, root, options=()):
        self.port = None
        self.lines = []
        self.process = subprocess.Popen([str(program), "--root", str(root), "--listen", "127.0.0.1:0", *options],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                        text=True, errors="replace")
        deadline = threading.Timer(START_SECONDS, self.process.kill)
        deadline.start()
        try:
            self.wait_until_ready()
        except BaseException:
            self.end()
            raise
        finally:
            deadline.cancel()
        self.reader = threading.Thread(target=self.drain, daemon=True)
        self.reader.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def wait_until_ready(self):
        for line in self.process.stderr:
            self.lines.append(line.rstrip())
            found = re.search(r"msg=listening address=127\.0\.0\.1:(\d+)", line)
            if found:
                self.port = int(found.group(1))
            if re.search(r"msg=ready\b", line):
                return
        raise OSError("the server does not become ready: " + " | ".join(self.lines[-3:]))

    def drain(self):
        for line in self.process.stderr:
            self.lines.append(line.rstrip())
            del self.lines[:-200]

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)

    def request(self, method, path, body=None):
        """The status of one request on a connection of its own."""
        connection = self.connect()
        try:
            connection.request(method, path, body and json.dumps(body), {"Content-Type": "application/json"})
            answer = connection.getresponse()
            answer.read()
            return answer.status
        finally:
            connection.close()

    def stop(self):
        """In order; the exit status."""
        self.process.terminate()
        try:
            return self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.end()
            return "no end"

    def end(self):
        """kill -9.  Safe to call again."""
        self.process.kill()
        self.process.wait()
