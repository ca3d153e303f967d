"""An HTTP/1.1 server with kept-alive connections that can stop without losing a request."""

import json
import socket
import socketserver
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

LARGEST_BODY_BYTES = 64 * 1024


class HttpError(Exception):
    """An answer other than success, with what the reader can do about it."""

    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


class Request:
    """What an application sees of a request."""

    def __init__(self, method, target, headers, body):
        parts = urlsplit(target)
        self.method = method
        self.path = parts.path
        self.headers = headers
        self.body = body

    def wants_json(self):
        accept = self.headers.get("Accept", "")
        return "application/json" in accept or "text/html" not in accept

    def fields(self):
        """The fields of a form or of a JSON object, as text."""
        try:
            text = self.body.decode("utf-8")
            if "json" in self.headers.get("Content-Type", ""):
                value = json.loads(text)
                if not isinstance(value, dict):
                    raise ValueError("not an object")
                return {str(key): str(item) for key, item in value.items()}
            return {key: values[-1] for key, values in parse_qs(text).items()}
        except ValueError as error:
            raise HttpError(400, f"the body cannot be read: {error}") from error


class Response:
    def __init__(self, body, status=200, content_type="application/json", headers=()):
        if content_type == "application/json":
            body = json.dumps(body) + "\n"
        self.status = status
        self.body = body.encode("utf-8")
        self.headers = [("Content-Type", f"{content_type}; charset=utf-8"), *headers]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # An answer leaves in one piece, at once.
    wbufsize = -1
    disable_nagle_algorithm = True
    # Seconds that a kept-alive connection may be idle.
    timeout = 75

    def handle_one_request(self):
        self.server.connection_is_idle(self.connection)
        super().handle_one_request()

    def parse_request(self):
        # The request line has arrived: from here on the server waits for this request when it stops.
        self.server.connection_is_busy(self.connection)
        self.started = time.monotonic()
        return super().parse_request()

    def do_GET(self):
        self.answer(b"")

    def do_HEAD(self):
        self.answer(b"")

    def do_POST(self):
        length = self.headers.get("Content-Length")
        if length is None or not length.isdigit():
            self.close_connection = True
            self.send(Response({"error": "Content-Length is needed"}, 411))
        elif int(length) > LARGEST_BODY_BYTES:
            self.close_connection = True
            self.send(Response({"error": f"more than {LARGEST_BODY_BYTES} bytes"}, 413))
        else:
            self.answer(self.rfile.read(int(length)))

    def answer(self, body):
        method = "GET" if self.command == "HEAD" else self.command
        request = Request(method, self.path, self.headers, body)
        try:
            response = self.server.application.handle(request)
        except HttpError as error:
            response = Response({"error": str(error)}, error.status)
        except Exception as error:  # pylint: disable=broad-except
            self.log_message("error %s: %s", type(error).__name__, error)
            response = Response({"error": "internal error"}, 500)
        self.send(response)
        if request.path != "/healthz":
            took_ms = (time.monotonic() - self.started) * 1000
            self.log_message("%s %s %d %.1f ms", self.command, request.path, response.status, took_ms)

    def send(self, response):
        if self.server.draining:
            self.close_connection = True
        self.send_response(response.status)
        for name, value in response.headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(response.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.body)

    def log_request(self, code="-", size="-"):
        """Requests are logged by answer(), with their time."""

    def log_message(self, format, *arguments):  # pylint: disable=redefined-builtin
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        print(now, format % arguments, flush=True)


class GracefulServer(ThreadingHTTPServer):
    request_queue_size = 256
    daemon_threads = True
    block_on_close = False

    def __init__(self, address, application):
        super().__init__(address, Handler)
        self.application = application
        self.draining = False
        self._changed = threading.Condition()
        self._busy = {}  # socket -> whether a request is under way on it

    def server_bind(self):
        # Not HTTPServer's, which asks a name server for this machine's name.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]

    def handle_error(self, request, client_address):
        error = sys.exc_info()[1]
        print(f"connection from {client_address[0]} ended: {type(error).__name__}: {error}", flush=True)

    def start(self):
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()

    def drain(self, seconds):
        """Takes no more connections, lets requests finish, and says whether all did."""
        self.draining = True
        self.shutdown()
        # Connections that already wait in the backlog were accepted by the kernel: they are served too.
        self.socket.settimeout(0)
        while True:
            try:
                request, client = self.socket.accept()
            except OSError:
                break
            request.settimeout(None)
            self.process_request(request, client)
        self.server_close()
        with self._changed:
            for connection, busy in self._busy.items():
                if not busy:
                    _end_reading(connection)
            return self._changed.wait_for(lambda: not self._busy, timeout=seconds)

    def process_request(self, request, client_address):
        with self._changed:
            self._busy[request] = False
        super().process_request(request, client_address)

    def shutdown_request(self, request):
        super().shutdown_request(request)
        with self._changed:
            self._busy.pop(request, None)
            self._changed.notify_all()

    def connection_is_idle(self, connection):
        with self._changed:
            self._busy[connection] = False
            if self.draining:
                _end_reading(connection)

    def connection_is_busy(self, connection):
        with self._changed:
            self._busy[connection] = True


def _end_reading(connection):
    """Makes a waiting reader see the end. What has arrived before is still read, and answered."""
    try:
        connection.shutdown(socket.SHUT_RD)
    except OSError:
        pass  # The other side has closed it meanwhile.
