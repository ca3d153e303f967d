#!/usr/bin/env python3
"""Runs a program on a terminal of its own and prints what it shows there; ends with the program's status.

Usage: on_terminal.py PROMPT KEYS PROGRAM [ARGUMENT...]

Once PROMPT is shown, KEYS are typed, with "^C" for the key that interrupts and "^M" for return. Without a PROMPT
nothing is typed.
"""

import os
import pty
import select
import signal
import sys
import time

LIMIT_SECONDS = 120


def main():
    prompt, keys, *program = sys.argv[1:]
    process, terminal = pty.fork()
    if process == 0:
        # Who starts this in the background may ignore the signal, and that would be inherited.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.execvp(program[0], program)
    shown = b""
    waiting = bool(prompt)
    deadline = time.monotonic() + LIMIT_SECONDS
    while time.monotonic() < deadline:
        readable, _, _ = select.select([terminal], [], [], 1)
        if not readable:
            continue
        try:
            part = os.read(terminal, 65536)
        except OSError:
            part = b""
        if not part:
            break
        shown += part
        if waiting and prompt.encode() in shown:
            waiting = False
            os.write(terminal, keys.replace("^C", "\x03").replace("^M", "\r").encode())
    else:
        os.kill(process, signal.SIGKILL)
        shown += b"\n(it did not end)\n"
    sys.stdout.write(shown.decode(errors="replace").replace("\r\n", "\n"))
    sys.stdout.flush()
    _, status = os.waitpid(process, 0)
    sys.exit(os.waitstatus_to_exitcode(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status))


main()
