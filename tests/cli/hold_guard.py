#!/usr/bin/env python3
"""Holds the guard of the lockfile in this folder as another run would, until its standard input ends."""

import fcntl
import sys

with open("paas.lock.guard", "w", encoding="utf-8") as guard:
    fcntl.flock(guard, fcntl.LOCK_EX)
    guard.write("pid 4711 on builder, paasctl up, since 2026-01-31T08:15:00Z")
    guard.flush()
    print("held", flush=True)
    sys.stdin.read()
