#!/usr/bin/env python3
"""Types into a real shell on a pseudo terminal and compares what completion makes of it.

Usage: shell_completion.py bash|bash-plain|zsh FOLDER CASES

FOLDER is where completion scripts are: for bash a file "paasctl", or with bash-completion an installation's
"share"; for zsh a folder of fpath. Each line of CASES is "WHAT | TYPED | RESULT": with "insert" RESULT is the
command line after one press of Tab; with "list" it is the candidates that the shell inserts when it is told to
insert all of them. Words of results are separated by blanks; a trailing "_" stands for a blank that completion
added. Lines that begin with "#" are comments.
"""

import os
import pty
import re
import select
import sys
import time

LIMIT_SECONDS = 120


class Shell:
    """A shell that answers lines one after another; each line ends with a mark that is waited for."""

    def __init__(self, arguments):
        self.count = 0
        self.seen = ""
        self.process, self.terminal = pty.fork()
        if self.process == 0:
            os.environ.update(TERM="dumb", PS1="$ ", HISTFILE="/dev/null", INPUTRC="/dev/null", COLUMNS="500")
            os.execvp(arguments[0], arguments)
        # A wide terminal, so that no line is wrapped.
        import fcntl, struct, termios
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 500, 0, 0))

    def wait_for(self, pattern):
        deadline = time.monotonic() + LIMIT_SECONDS
        while True:
            found = re.search(pattern, self.seen, re.S)
            if found:
                self.seen = self.seen[found.end():]
                return found
            if time.monotonic() > deadline:
                raise TimeoutError(f"the shell did not print {pattern!r}; it printed {self.seen!r}")
            readable, _, _ = select.select([self.terminal], [], [], 1)
            if readable:
                try:
                    self.seen += os.read(self.terminal, 65536).decode(errors="replace")
                except OSError as problem:
                    raise TimeoutError(f"the shell ended; it printed {self.seen!r}") from problem

    def type(self, keys):
        os.write(self.terminal, keys.encode())

    def run(self, command):
        """Runs a command and waits until it is done."""
        self.count += 1
        # The mark is put together by the shell, so that the echo of the command is not taken for it.
        self.type(f"{command}; printf '%s-%s\\n' done {self.count}\r")
        self.wait_for(rf"done-{self.count}\r?\n")

    def line_after(self, keys):
        """The words of the line that these keys make, not run but shown by the shell."""
        self.count += 1
        self.type(keys)
        # To the line's beginning, where the command that shows its words is put in front of it.
        self.type(f"\x01shown {self.count} \r")
        found = self.wait_for(rf"<<{self.count}>>(.*?)<</{self.count}>>")
        return found.group(1)


# Shows its arguments between marks; a blank behind the last one cannot be seen among them, so it is asked for.
SHOW = r"""shown() { local n=$1; shift; printf '<''<%s>>%s<''</%s>>\n' "$n" "$*" "$n"; }"""


def bash(folder, plain):
    shell = Shell(["bash", "--norc", "--noprofile", "-i"])
    shell.run("bind 'set enable-bracketed-paste off'; bind 'set bell-style none'")
    # Both keys do what people's keys do: Tab completes, the other inserts all candidates.
    shell.run("bind '\"\\C-t\": insert-completions'")
    if plain:
        shell.run(f"source {folder}/paasctl")
    else:
        shell.run(f"export XDG_DATA_DIRS={folder}; source /usr/share/bash-completion/bash_completion")
    shell.run(SHOW)
    return shell


def zsh(folder):
    shell = Shell(["zsh", "-f", "-i"])
    shell.run("unset zle_bracketed_paste; unsetopt beep prompt_cr prompt_sp; setopt interactive_comments")
    shell.run(f"fpath=({folder} $fpath); autoload -Uz compinit; compinit -u -D")
    shell.run("zle -C every complete-word _generic; bindkey '^T' every; bindkey '^I' complete-word; bindkey '^A' beginning-of-line")
    shell.run("zstyle ':completion:every::::' completer _every; _every() { _complete; compstate[insert]=all }")
    shell.run(SHOW)
    return shell


def main():
    kind, folder, cases = sys.argv[1:]
    shell = zsh(folder) if kind == "zsh" else bash(folder, plain=kind == "bash-plain")
    failed = count = 0
    with open(cases, encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip() or line.startswith("#"):
                continue
            what, typed, wanted = (part.strip() for part in line.split("|"))
            typed = typed.replace("_", " ") if typed.endswith("_") else typed
            key = "\t" if what == "insert" else "\x14"
            # A letter typed behind the completion shows whether a blank was added.
            seen = shell.line_after(typed + key + ("@" if what == "insert" else ""))
            seen = re.sub(r" @$", "_", seen) if what == "insert" else seen
            seen = re.sub(r"@$", "", seen)
            if what == "list":
                seen = " ".join(sorted(seen.split()))
                wanted = " ".join(sorted(wanted.split()))
            count += 1
            if seen != wanted:
                failed += 1
                print(f"FAILED: {cases}:{number}: {kind}: {what} {typed!r}\n  wanted: {wanted}\n     got: {seen}")
    print(f"{kind}: {count} completions, {failed} failed")
    sys.exit(1 if failed or count == 0 else 0)


main()
