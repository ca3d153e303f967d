#!/usr/bin/env python3
"""Prints how long `paasctl version` takes from start to end and how much memory it needs at most.

Usage: start_up.py BINARY [RUNS]. Judges nothing: times depend on the machine and on what else it does.
"""

import os
import statistics
import sys
import time


def run(binary):
    """Milliseconds and KiB of one run."""
    began = time.perf_counter_ns()
    process = os.posix_spawn(binary, [binary, "version"], os.environ,
                             file_actions=[(os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)])
    _, status, usage = os.wait4(process, 0)
    took = (time.perf_counter_ns() - began) / 1e6
    if status != 0:
        sys.exit(f"{binary} version ended with status {os.waitstatus_to_exitcode(status)}")
    return took, usage.ru_maxrss


binary = os.path.realpath(sys.argv[1])
runs = int(sys.argv[2]) if len(sys.argv) > 2 else 200
for _ in range(5):
    run(binary)
times, sizes = zip(*(run(binary) for _ in range(runs)))
times = sorted(times)
print(f"paasctl version, {runs} runs, binary of {os.path.getsize(binary) / 1e6:.1f} MB")
print(f"  start to end   median {statistics.median(times):.1f} ms, fastest {times[0]:.1f} ms, "
      f"nine of ten below {times[int(runs * 0.9) - 1]:.1f} ms")
print(f"  peak memory    median {statistics.median(sizes) * 1024 / 1e6:.1f} MB, most {max(sizes) * 1024 / 1e6:.1f} MB")
