"""Sends GET and POST, each with and without a kept connection, until SIGTERM; then prints what came of it as JSON.

  traffic.py ADDRESS [TEXT]

The first line says that it has begun. A kept connection that breaks is a failure, as an answer of 400 and more is,
and one with TEXT in it: what a program reports although it can go on without.
One that the other side closes in order is opened again, so connections are counted as well: whoever reads the
report can see whether they were kept.
"""

import http.client
import json
import signal
import sys
import threading
import time
import urllib.parse

PAUSE_SECONDS = 0.02
TIMEOUT_SECONDS = 20


class CountedConnection(http.client.HTTPConnection):
    """Tells its owner each time it is opened: http.client opens it again by itself."""

    def __init__(self, owner, host, port):
        super().__init__(host, port, timeout=TIMEOUT_SECONDS)
        self._owner = owner

    def connect(self):
        super().connect()
        self._owner.connections += 1


class Sender(threading.Thread):
    def __init__(self, address, method, kept, unwanted, stop):
        super().__init__()
        self.kind = f"{method} {'kept' if kept else 'new'}"
        self.requests = 0
        self.connections = 0
        self.failures = []
        self._address, self._method, self._kept, self._stop_event = address, method, kept, stop
        self._unwanted = unwanted
        self._connection = None

    def run(self):
        while not self._stop_event.is_set():
            began = time.monotonic()
            try:
                self._send()
            except (OSError, http.client.HTTPException) as error:
                self._fail(began, f"{type(error).__name__}: {error}")
            self.requests += 1
            time.sleep(PAUSE_SECONDS)

    def _send(self):
        if self._connection is None:
            self._connection = CountedConnection(self, self._address.hostname, self._address.port or 80)
        began = time.monotonic()
        body, headers = None, {"Accept": "application/json"}
        if self._method == "POST":
            body = urllib.parse.urlencode({"text": f"{self.kind} {self.requests}"})
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        if not self._kept:
            headers["Connection"] = "close"
        self._connection.request(self._method, self._address.path or "/", body, headers)
        response = self._connection.getresponse()
        text = response.read()
        if response.status >= 400 or (self._unwanted and self._unwanted in text):
            self._fail(began, f"{response.status} {text[:200]!r}")
        if response.will_close or not self._kept:
            self._close()

    def _fail(self, began, what):
        self.failures.append(f"{self.kind} number {self.requests} after {time.monotonic() - began:.2f} s, "
                             f"at {time.strftime('%H:%M:%S')}: {what}")
        self._close()

    def _close(self):
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def main():
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    address = urllib.parse.urlsplit(sys.argv[1])
    unwanted = sys.argv[2].encode() if len(sys.argv) > 2 else b""
    senders = [Sender(address, method, kept, unwanted, stop) for method in ("GET", "POST") for kept in (True, False)]
    for sender in senders:
        sender.start()
    print("begun", flush=True)
    stop.wait()
    for sender in senders:
        sender.join()
    print(json.dumps({"requests": {sender.kind: sender.requests for sender in senders},
                      "connections": {sender.kind: sender.connections for sender in senders},
                      "failures": [failure for sender in senders for failure in sender.failures]}), flush=True)


main()
