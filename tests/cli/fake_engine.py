#!/usr/bin/env python3
"""Stands for a Docker Engine without images that lists no containers; any that is asked for prints lines without end.

"shop-web-2" is silent after its first one. Run with the path of a socket, it serves there until it is ended.
"""

import http.server
import socketserver
import struct
import sys


class Handler(http.server.BaseHTTPRequestHandler):
    """What every engine that is played has: peers of a socket have no address, and nothing is logged."""

    protocol_version = "HTTP/1.0"

    def address_string(self):
        return "paasctl"

    def log_message(self, *_):
        pass


class Engine(Handler):
    def do_POST(self):
        self.send_response(500)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(b'{"message": "the registry cannot be reached"}')

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        if "/images/json" in self.path or "/containers/json" in self.path:
            self.wfile.write(b"[]")
            return
        if "/logs" not in self.path:
            self.wfile.write(b'{"ApiVersion": "1.41", "Config": {"Tty": false}}')
            return
        line = b"a line of the log\n"
        frame = struct.pack(">BxxxL", 1, len(line)) + line
        self.wfile.write(frame)
        try:
            while "shop-web-2" not in self.path:
                self.wfile.write(frame * 100)
            self.rfile.read()
        except OSError:
            pass


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


if __name__ == "__main__":
    with Server(sys.argv[1], Engine) as engine:
        print("ready", flush=True)
        engine.serve_forever()
