"""Starts the guest book as the frontend or the backend that its environment asks for."""

import os
import signal
import sys
import threading

from backend import Backend
from frontend import Frontend
from server import GracefulServer


def main():
    mode = os.environ.get("MODE", "frontend")
    name = os.environ.get("PAAS_SERVER") or os.uname().nodename
    if mode == "frontend":
        application = Frontend(name, os.environ["BACKEND_URL"], os.environ.get("GREETING", "Welcome"))
    elif mode == "backend":
        application = Backend(name, os.environ["DB_URL"], os.environ.get("REDIS_URL"))
    else:
        sys.exit(f"MODE must be frontend or backend, not {mode!r}")

    server = GracefulServer(("", int(os.environ.get("PORT", "8000"))), application)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    server.start()
    print(f"{mode} {name} listens on port {server.server_port}", flush=True)
    stop.wait()
    print("stopping: finishing the requests under way", flush=True)
    finished = server.drain(seconds=8)
    print("stopped" if finished else "stopped with requests unfinished", flush=True)


if __name__ == "__main__":
    try:
        main()
    except KeyError as error:
        sys.exit(f"the variable {error.args[0]} is not set; a link in the stack file gives it")
