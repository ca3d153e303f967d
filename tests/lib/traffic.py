"""Sends GET and POST, each with and without a kept connection, until SIGTERM; then prints what came of it as JSON.

  traffic.py ADDRESS [TEXT]
  traffic.py --connect HOST --cacert FILE ADDRESS [TEXT]

The second form connects to HOST in place of the address's own, and believes certificates of FILE's authorities only:
one of another host or authority is a failure.

The first line says that it has begun. A kept connection that breaks is a failure, as an answer of 400 and more is,
and one with TEXT in it: what a program reports although it can go on without.
One that the other side closes in order is opened again, so connections are counted as well: whoever reads the
report can see whether they were kept.
"""

import argparse
import http.client
import json
import signal
import socket
import ssl
import threading
import time
import urllib.parse

PAUSE_SECONDS = 0.02
TIMEOUT_SECONDS = 20


class CountedConnection(http.client.HTTPConnection):
    """Tells its owner each time it is opened: http.client opens it again by itself."""

    def __init__(self, owner, target):
        super().__init__(target.host, target.port, timeout=TIMEOUT_SECONDS)
        self._owner, self._target = owner, target
        self.default_port = target.default_port  # Is not written behind the host.

    def connect(self):
        self.sock = self._target.connect()
        self._owner.connections += 1


class Target:
    """What is asked, and how it is reached."""

    def __init__(self, arguments):
        address = urllib.parse.urlsplit(arguments.address)
        self.host, self.path = address.hostname, address.path or "/"
        self._tls = ssl.create_default_context(cafile=arguments.cacert) if address.scheme == "https" else None
        self.default_port = 443 if self._tls else 80
        self.port = address.port or self.default_port
        self._reached_at = arguments.connect or self.host

    def connect(self):
        line = socket.create_connection((self._reached_at, self.port), timeout=TIMEOUT_SECONDS)
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self._tls.wrap_socket(line, server_hostname=self.host) if self._tls else line


class Sender(threading.Thread):
    def __init__(self, target, method, kept, unwanted, stop):
        super().__init__()
        self.kind = f"{method} {'kept' if kept else 'new'}"
        self.requests = 0
        self.connections = 0
        self.failures = []
        self._target, self._method, self._kept, self._stop_event = target, method, kept, stop
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
            self._connection = CountedConnection(self, self._target)
        began = time.monotonic()
        body, headers = None, {"Accept": "application/json"}
        if self._method == "POST":
            body = urllib.parse.urlencode({"text": f"{self.kind} {self.requests}"})
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        if not self._kept:
            headers["Connection"] = "close"
        self._connection.request(self._method, self._target.path, body, headers)
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
    parser = argparse.ArgumentParser()
    parser.add_argument("--connect")
    parser.add_argument("--cacert")
    parser.add_argument("address")
    parser.add_argument("text", nargs="?", default="")
    arguments = parser.parse_args()
    target, unwanted = Target(arguments), arguments.text.encode()
    senders = [Sender(target, method, kept, unwanted, stop) for method in ("GET", "POST") for kept in (True, False)]
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
