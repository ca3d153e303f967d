#!/usr/bin/env python3
"""Stands for a Docker Engine that can pull every image, and runs containers without programs.

What it knows is a file, because each process of what stands for OpenSSH's client serves it anew.
"""

import fcntl
import hashlib
import json
import os
import urllib.parse

import fake_engine


class Store:
    """{"images": {REFERENCE: ID}, "containers": {NAME: DOCUMENT}} in a file, held while it is changed."""

    def __init__(self, path):
        self.path = path

    def __enter__(self):
        self.file = open(self.path, "a+", encoding="utf-8")
        fcntl.flock(self.file, fcntl.LOCK_EX)
        self.file.seek(0)
        self.known = json.loads(self.file.read() or '{"images": {}, "containers": {}}')
        return self.known

    def __exit__(self, *_):
        self.file.truncate(0)
        self.file.write(json.dumps(self.known))
        self.file.close()


def engine_of(path):
    """A handler of requests for the engine whose store is this file."""
    store = Store(path)

    class Engine(fake_engine.Handler):
        def answer(self, status, value=None):
            body = b"" if value is None else json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def act(self):
            url = urllib.parse.urlsplit(self.path)
            query = dict(urllib.parse.parse_qsl(url.query))
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            parts = [urllib.parse.unquote(part) for part in url.path.strip("/").split("/")]
            if parts[0].startswith("v1."):
                parts.pop(0)
            with store as known:
                status, value = respond(known, self.command, parts, query, json.loads(body) if body else {})
            self.answer(status, value)

        do_GET = do_POST = do_DELETE = act

    return Engine


def respond(known, method, parts, query, body):
    if parts[0] == "images":
        return images(known, parts[1:], query)
    if parts[0] == "containers":
        return containers(known, method, parts[1:], query, body)
    return 200, {"ApiVersion": "1.41"}


def images(known, parts, query):
    if parts == ["create"]:
        reference = f"{query['fromImage']}:{query.get('tag', 'latest')}"
        known["images"][reference] = "sha256:" + hashlib.sha256(reference.encode()).hexdigest()
        return 200, {"status": "pulled"}
    if parts == ["json"]:
        return 200, [{"Id": identifier} for identifier in known["images"].values()]
    name = "/".join(parts[:-1])
    for reference, identifier in known["images"].items():
        if name in (reference, identifier):
            return 200, {"Id": identifier, "RepoTags": [reference]}
    return 404, {"message": f"No such image: {name}"}


def containers(known, method, parts, query, body):
    made = known["containers"]
    if parts == ["json"]:
        return 200, [{"Id": document["Id"], "Names": [document["Name"]], "State": document["State"]["Status"]}
                     for document in made.values()]
    if parts == ["create"]:
        name = query["name"]
        made[name] = {"Id": hashlib.sha256(name.encode()).hexdigest(), "Name": "/" + name,
                      "Image": known["images"].get(body["Image"], ""), "Config": body, "RestartCount": 0,
                      "HostConfig": body.get("HostConfig", {}), "State": {"Status": "created", "ExitCode": 0},
                      "NetworkSettings": {"Networks": {"bridge": {"IPAddress": "172.17.0.2"}}}}
        return 201, {"Id": made[name]["Id"]}
    name = next((name for name, document in made.items() if parts[0] in (name, document["Id"])), None)
    if name is None:
        return 404, {"message": f"No such container: {parts[0]}"}
    if method == "DELETE":
        del made[name]
        return 204, None
    if parts[1:] == ["start"]:
        made[name]["State"]["Status"] = "running"
        return 204, None
    if parts[1:] == ["stop"]:
        made[name]["State"]["Status"] = "exited"
        return 204, None
    return 200, made[name]
