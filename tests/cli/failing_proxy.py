#!/usr/bin/env python3
"""Passes GET requests on to a cloud, but for one path, which it refuses.

Usage: failing_proxy.py URL PATH. Prints its own address; ends when its standard input does.
"""

import http.server
import sys
import threading
import urllib.error
import urllib.request


class Proxy(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        if self.path.startswith(sys.argv[2]):
            self.answer(403, b'{"id": "forbidden", "message": "You are not authorized to perform this operation"}')
            return
        request = urllib.request.Request(sys.argv[1] + self.path, headers={"Authorization": self.headers["Authorization"]})
        try:
            with urllib.request.urlopen(request) as answer:
                self.answer(answer.status, answer.read())
        except urllib.error.HTTPError as refused:
            self.answer(refused.code, refused.read())


with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy) as server:
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    sys.stdin.read()
