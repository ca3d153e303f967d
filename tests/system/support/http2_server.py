#!/usr/bin/python3
"""A server of HTTP/2 and HTTP/1.1 over TLS that tells what it is asked, and resets a connection on request.

Usage: http2_server.py CERTIFICATE KEY. Prints its port, and then a line for each request before it acts on it:
"CONNECTION PROTOCOL METHOD PATH", with connections numbered from 1. Ends when nobody reads that any more.

    GET /together/N   is answered when N of them wait on one connection
    GET /moved        is answered with a redirect to a place where nobody listens
    POST /cut         the first one is never answered: its connection is reset when the next GET arrives
    anything else     is answered with 200
"""

import os
import select
import socket
import ssl
import struct
import sys
import threading

import h2.config
import h2.connection
import h2.events

next_get, tell_next_get = os.pipe()
telling = threading.Lock()
cuts = 0


def tell(line):
    with telling:
        print(line, flush=True)


def tell_of_get():
    if cuts:
        os.write(tell_next_get, b"x")


def is_cut(method, path):
    """Whether this is the request that is never answered."""
    global cuts
    with telling:
        cuts += (method, path) == ("POST", "/cut")
        return (method, path) == ("POST", "/cut") and cuts == 1


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def headers_for(path):
    if path == "/moved":
        return [(":status", "302"), ("location", "https://127.0.0.1:1/elsewhere"), ("content-length", "0")]
    return [(":status", "200"), ("content-length", "0")]


class Two:
    """A connection of HTTP/2."""

    def __init__(self, connection, number):
        self.connection, self.number = connection, number
        self.state = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))
        self.together = []
        self.has_cut = False

    def serve(self):
        self.state.initiate_connection()
        self.connection.sendall(self.state.data_to_send())
        while True:
            if self.has_cut and not self.connection.pending():
                # The other end may still send: of the POST's body, or another request on this connection.
                if next_get in select.select([self.connection, next_get], [], [])[0]:
                    return reset(self.connection)
            data = self.connection.recv(65536)
            if not data:
                return None
            for event in self.state.receive_data(data):
                if isinstance(event, h2.events.RequestReceived):
                    self.receive(event.stream_id, dict(event.headers))
            self.connection.sendall(self.state.data_to_send())

    def receive(self, stream, headers):
        method, path = headers[":method"], headers[":path"]
        tell(f"{self.number} h2 {method} {path}")
        if is_cut(method, path):
            self.has_cut = True
            return
        if method == "GET":
            tell_of_get()
            if self.has_cut:
                return
        self.together.append(stream)
        if path.startswith("/together/") and len(self.together) < int(path.rpartition("/")[2]):
            return
        for each in self.together:
            self.state.send_headers(each, headers_for(path), end_stream=True)
        self.together = []


def serve_one(connection, number):
    """A connection of HTTP/1.1."""
    reader = connection.makefile("rb")
    while line := reader.readline():
        method, path, _ = line.decode().split()
        length = 0
        while (header := reader.readline().strip()):
            name, _, value = header.decode().partition(":")
            length = int(value) if name.lower() == "content-length" else length
        reader.read(length)
        tell(f"{number} http/1.1 {method} {path}")
        if is_cut(method, path):
            select.select([next_get], [], [])
            reader.close()
            return reset(connection)
        if method == "GET":
            tell_of_get()
        (_, status), *others = headers_for(path)
        text = "".join(f"{name}: {value}\r\n" for name, value in others)
        connection.sendall(f"HTTP/1.1 {status} Said\r\n{text}\r\n".encode())
    return None


def serve(context, accepted, number):
    try:
        connection = context.wrap_socket(accepted, server_side=True)
        if connection.selected_alpn_protocol() == "h2":
            Two(connection, number).serve()
        else:
            serve_one(connection, number)
    except OSError:
        pass  # The client has gone.


def accept_all(context, listener):
    number = 0
    while True:
        accepted, _ = listener.accept()
        number += 1
        threading.Thread(target=serve, args=(context, accepted, number), daemon=True).start()


def main():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[1], sys.argv[2])
    context.set_alpn_protocols(["h2", "http/1.1"])
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    print(listener.getsockname()[1], flush=True)
    threading.Thread(target=accept_all, args=(context, listener), daemon=True).start()
    watch = select.poll()
    watch.register(sys.stdout.fileno(), 0)
    watch.poll()


main()
