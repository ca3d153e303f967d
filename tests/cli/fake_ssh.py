#!/usr/bin/env python3
"""Stands for OpenSSH's client: notes its arguments in FAKE_SSH_LOG, a line of JSON for each call.

Connections open and close at once. A forwarded socket leads to what stands for a Docker Engine.
"""

import base64
import json
import os
import sys

import fake_engine


def serve(path):
    # The socket is there before the client's process ends, as with OpenSSH.
    server = fake_engine.Server(path, fake_engine.Engine)
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
        serve(arguments[arguments.index("-L") + 1].partition(":")[0])


main()
