#!/usr/bin/env python3
"""Runs a program, sends it SIGINT at lines of its standard error, and ends with its status.

Usage: signal_at.py PART... -- PROGRAM [ARGUMENT...]

Once a line holds the first PART the signal is sent, once a later one holds the second PART it is sent again, and so
on. What the program wrote to its standard error is printed.
"""

import signal
import subprocess
import sys


def main():
    dashes = sys.argv.index("--")
    parts = sys.argv[1:dashes]
    # Who starts this in the background may ignore the signal, and that would be inherited.
    process = subprocess.Popen(sys.argv[dashes + 1:], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL,
                               stdin=subprocess.DEVNULL, text=True,
                               preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    for line in process.stderr:
        sys.stdout.write(line)
        if parts and parts[0] in line:
            parts.pop(0)
            process.send_signal(signal.SIGINT)
    status = process.wait()
    if parts:
        print(f"(no line held {parts[0]})")
    sys.exit(status if status >= 0 else 128 - status)


main()
