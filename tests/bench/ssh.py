#!/usr/bin/env python3
"""Prints what `paasctl plan` costs when it looks at the servers over SSH.

Usage: [RUNS=N] [ROUND_TRIP_MS=N] ssh.py PAASCTL BENCH_SCALE [SERVERS]. Needs root: all runs in name spaces of its own for
network, mounts and processes, where a real sshd answers at an address of 127/8 for each server, and Docker's socket is one
that tells of one container. Judges nothing.
"""

import contextlib
import http.server
import json
import os
import socketserver
import subprocess
import sys
import tempfile
import threading
import time

from farm import RUNS, farm, figures, measured

ROUND_TRIP_MS = int(os.environ.get("ROUND_TRIP_MS", "20"))
SOCKET = "/run/docker.sock"
SSHD = """ListenAddress 0.0.0.0
HostKey {0}/host
AuthorizedKeysFile {0}/user.pub
PidFile none
StrictModes no
UsePAM no
PermitRootLogin prohibit-password
MaxStartups 1000
LogLevel VERBOSE
"""
CONTAINER = {"Id": "0" * 64, "Names": ["/w1-r1"], "Name": "/w1-r1", "Image": "sha256:" + "1" * 64, "ImageID": "sha256:" + "1" * 64,
             "State": "running", "Labels": {"paas.stack": "farm", "paas.service": "w1", "paas.release": "1"}}


class Engine(http.server.BaseHTTPRequestHandler):
    """As much of Docker Engine's API as a look needs."""

    protocol_version = "HTTP/1.1"
    requests = 0

    def do_GET(self):  # pylint: disable=invalid-name
        type(self).requests += 1
        path = self.path.split("?")[0]
        if path == "/version":
            answer = {"Version": "20.10.24", "ApiVersion": "1.41", "MinAPIVersion": "1.12"}
        elif path.endswith("/containers/json"):
            answer = [CONTAINER]
        elif path.endswith("/images/json"):
            answer = [{"Id": "sha256:" + "1" * 64, "RepoTags": ["example/web:1"]}]
        else:
            answer = dict(CONTAINER, State={"Status": "running"},
                          Config={"Image": "example/web:1", "Env": [], "Labels": CONTAINER["Labels"]})
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def address_string(self):
        return "client"

    def log_message(self, *_):
        pass


class EngineServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 200


def isolate():
    """Starts this program again where nobody else's addresses, sockets and processes are; all of them end with it."""
    if "PAAS_BENCH_ISOLATED" not in os.environ:
        os.environ["PAAS_BENCH_ISOLATED"] = "1"
        os.execvp("unshare", ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc",
                              sys.executable, os.path.realpath(sys.argv[0]), *sys.argv[1:]])
    subprocess.run(["mount", "-t", "tmpfs", "none", "/run"], check=True)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    os.mkdir("/run/sshd", 0o755)


def delay_packets():
    """Milliseconds of a round trip; nothing where the kernel cannot delay packets."""
    command = ["tc", "qdisc", "add", "dev", "lo", "root", "netem", "delay", f"{ROUND_TRIP_MS / 2}ms", "limit", "100000"]
    with contextlib.suppress(FileNotFoundError):
        if ROUND_TRIP_MS > 0 and subprocess.run(command, check=False, stderr=subprocess.DEVNULL).returncode == 0:
            return ROUND_TRIP_MS
    return 0


@contextlib.contextmanager
def sshd(keys):
    for name in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", f"{keys}/{name}"], check=True)
    with open(f"{keys}/sshd_config", "w") as file:
        file.write(SSHD.format(keys))
    with subprocess.Popen(["/usr/sbin/sshd", "-D", "-f", f"{keys}/sshd_config", "-E", f"{keys}/log"]) as server:
        time.sleep(1)
        try:
            yield
        finally:
            server.terminate()


def give_addresses(made, keys):
    """Each server gets an address of 127/8 and the key that sshd has there."""
    with open(f"{keys}/host.pub") as file:
        key = " ".join(file.read().split()[:2])
    with open(f"{made.folder}/paas.lock") as file:
        lockfile = json.load(file)
    with open(f"{made.folder}/state.json") as file:
        state = json.load(file)
    addresses = {}
    for number, (name, server) in enumerate(lockfile["servers"].items(), 1):
        addresses[name] = f"127.1.{number >> 8}.{number & 255}"
        server.update(public_address=addresses[name], host_key=key)
    for droplet in state["droplets"]:
        droplet["public_address"] = addresses[droplet["name"]]
    with open(f"{made.folder}/paas.lock", "w") as file:
        json.dump(lockfile, file)
    with open(f"{made.folder}/state.json", "w") as file:
        json.dump(state, file)


def count(keys, words):
    with open(f"{keys}/log") as file:
        return sum(words in line for line in file)


def measure(paasctl, bench, servers):
    with tempfile.TemporaryDirectory() as keys, sshd(keys):
        engine = EngineServer(SOCKET, Engine)
        threading.Thread(target=engine.serve_forever, daemon=True).start()
        with farm(paasctl, bench, servers, "20ms", lambda made: give_addresses(made, keys), key=f"{keys}/user") as made:
            plan = [made.paasctl, "plan"]
            *_, text = measured(plan, made.environment, made.folder)
            before = [Engine.requests, count(keys, "Accepted publickey"), count(keys, "Starting session: command")]
            round_trip = delay_packets()
            cost = figures(plan, made.environment, made.folder)
            after = [Engine.requests, count(keys, "Accepted publickey"), count(keys, "Starting session: command")]
    calls, logins, commands = [(late - early) / RUNS / servers for early, late in zip(before, after)]
    unreached = sum("was not looked at" in line for line in text.splitlines())
    print(f"plan of {servers} servers over SSH, {round_trip} ms a round trip of packets, median of {RUNS} runs: {cost}")
    print(f"a server: {logins:.2f} connections, {commands:.2f} commands, {calls:.2f} calls of Docker's API; "
          f"{unreached} not looked at")


isolate()
measure(sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 100)
