#!/usr/bin/env python3
"""Stands for OpenSSH's client: notes its arguments in FAKE_SSH_LOG, a line of JSON for each call.

Connections open and close at once. A forwarded socket leads to what stands for a Docker Engine: one that has and gets
nothing, or, with the folder FAKE_ENGINES, one of the server's own that pulls images and runs containers. The server then
keeps its hosts file and knows what was mounted as well; every other command succeeds and does nothing.
"""

import base64
import json
import os
import shlex
import sys

import fake_containers
import fake_engine


def server_file(arguments, kind):
    """A file of the server that is talked to; None where servers are not played."""
    folder = os.environ.get("FAKE_ENGINES")
    name = next((a for a in arguments if a.startswith("HostKeyAlias=")), "").partition("=")[2]
    return os.path.join(folder, f"{name}.{kind}") if folder and name else None


def engine(arguments):
    known = server_file(arguments, "engine")
    return fake_containers.engine_of(known) if known else fake_engine.Engine


def content(path):
    return open(path, encoding="utf-8").read() if path and os.path.exists(path) else ""


def known_to_engine(arguments):
    path = server_file(arguments, "engine")
    if path is None:
        return {"images": {}, "containers": {}}
    with fake_containers.Store(path) as known:
        return known


def look(arguments, role):
    known = known_to_engine(arguments)
    parts = {"hosts": content(server_file(arguments, "hosts")), "mounts": content(server_file(arguments, "volumes")),
             "containers": "".join(json.dumps(document) + "\n" for document in known["containers"].values()),
             "images": json.dumps([{"Id": identifier} for identifier in known["images"].values()]) + "\n"}
    if role == "balancer":
        parts |= {"statistics": "--- silent\n", "info": "--- silent\n", "certificates": "", "configuration": ""}
    return "".join(f"--- {name}\n{text}" for name, text in parts.items())


def health(arguments, name):
    document = known_to_engine(arguments)["containers"].get(name)
    if document is None:
        return "gone\n"
    running = document["State"]["Status"] == "running"
    return f"{document['State']['Status']} 0 0 {'yes' if running else 'no'}\n"


def play(arguments):
    """The scripts of observe/server_scripts.hpp and observe/ssh_machines.cpp whose effects a later run looks for."""
    words = shlex.split(arguments[-1].rpartition("; s=$?")[0])
    if words[:2] != ["sh", "-euc"]:
        return
    script, parameters = words[2], words[4:]
    hosts, volumes = server_file(arguments, "hosts"), server_file(arguments, "volumes")
    if "--- containers" in script:
        sys.stdout.write(look(arguments, parameters[1]))
    elif "echo gone" in script:
        sys.stdout.write(health(arguments, parameters[0]))
    elif hosts and parameters[:1] == ["/etc/paas/hosts"]:
        with open(hosts, "w", encoding="utf-8") as file:
            file.write(sys.stdin.read())
    elif volumes and "mountpoint -q" in script and "mkdir -p" in script:
        with open(volumes, "w", encoding="utf-8") as file:
            file.write(os.path.basename(parameters[1]) + "\n")


def serve(path, handler):
    # The socket is there before the client's process ends, as with OpenSSH.
    server = fake_engine.Server(path, handler)
    if os.fork() > 0:
        return
    os.setsid()
    nothing = os.open("/dev/null", os.O_RDWR)
    for descriptor in range(3):
        os.dup2(nothing, descriptor)
    with open(os.environ["FAKE_SSH_LOG"] + ".servers", "a", encoding="utf-8") as servers:
        servers.write(f"{os.getpid()}\n")
    server.serve_forever()


def show_host_key(arguments):
    # The real client writes the key down before anybody logs in.
    value = {name: next(a for a in arguments if a.startswith(name + "=")).partition("=")[2] for name in ("UserKnownHostsFile", "HostKeyAlias")}
    key = base64.b64encode(b"\0\0\0\x0bssh-ed25519\0\0\0 " + b"k" * 32).decode()
    with open(value["UserKnownHostsFile"].strip('"'), "w", encoding="utf-8") as known:
        known.write(f"{value['HostKeyAlias']} ssh-ed25519 {key}\n")
    sys.exit(255)


def main():
    arguments = sys.argv[1:]
    with open(os.environ["FAKE_SSH_LOG"], "a", encoding="utf-8") as log:
        log.write(json.dumps(arguments) + "\n")
    control = next((a for a in arguments if a.startswith("ControlPath=")), "").partition("=")[2].strip('"')
    if "StrictHostKeyChecking=accept-new" in arguments:
        show_host_key(arguments)
    if "-N" in arguments:
        open(control, "w", encoding="utf-8").close()
    if "forward" in arguments:
        serve(arguments[arguments.index("-L") + 1].partition(":")[0], engine(arguments))
    play(arguments)


main()
