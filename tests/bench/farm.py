"""A small stack that is many servers large in the records of a local cloud, and what a command on it costs."""

import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

RUNS = int(os.environ.get("RUNS", "5"))
KEY = "a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s="  # 32 times "k", as bench_scale seals with


class Figures:
    """Medians of several runs of a command, of that process and those that it waited for alone."""

    def __init__(self, runs):
        self.seconds, self.processor, self.bytes, self.texts = zip(*runs)

    def __str__(self):
        return (f"{statistics.median(self.seconds):6.2f} s (fastest {min(self.seconds):.2f}), "
                f"{statistics.median(self.processor):5.2f} s of processor, {max(self.bytes) / 1e6:6.1f} MB")


def measured(command, environment, folder):
    """Seconds, seconds of processor, peak memory in bytes and standard output of one run."""
    with tempfile.TemporaryFile() as output:
        began = time.perf_counter()
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=output)
        _, status, usage = os.wait4(process.pid, 0)
        took = time.perf_counter() - began
        if os.waitstatus_to_exitcode(status) != 0:
            sys.exit(f"{' '.join(command)} failed")
        output.seek(0)
        return took, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, output.read().decode()


def apart(work):
    """Does it in a process of its own: what this one grew to would count as peak memory of all that it starts later."""
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        try:
            work()
            os._exit(0)
        finally:
            os._exit(1)
    if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0:
        sys.exit("making the farm failed")


def figures(command, environment, folder):
    return Figures([measured(command, environment, folder) for _ in range(RUNS)])


class Farm:
    def __init__(self, paasctl, folder):
        self.paasctl, self.folder = paasctl, folder
        self.environment = dict(os.environ, HOME=folder, XDG_STATE_HOME=f"{folder}/state", XDG_RUNTIME_DIR=folder,
                                XDG_CONFIG_HOME=f"{folder}/config", PAASCTL_KEY=KEY)
        for name in ("DIGITALOCEAN_TOKEN", "DIGITALOCEAN_ACCESS_TOKEN", "DIGITALOCEAN_API_URL", "SSH_AUTH_SOCK"):
            self.environment.pop(name, None)

    def run(self, *words):
        subprocess.run([self.paasctl, *words], env=self.environment, cwd=self.folder, check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def put_state(self):
        """The cloud's own settings and token stay; all else is what bench_scale made."""
        path = f"{self.folder}/state/paasctl/cloud/state.json"
        with open(path) as own, open(f"{self.folder}/state.json") as made:
            settings, state = json.load(own)["settings"], json.load(made)
        with open(path, "w") as file:
            json.dump(dict(state, settings=settings), file)

    def start(self, latency):
        self.run("cloud", "up", "--metadata-only", "--latency", latency)
        self.run("cloud", "down")
        apart(self.put_state)
        self.run("cloud", "up")

    def requests_left(self):
        """How many the cloud says are left this hour; asking takes one of them."""
        shown = subprocess.run(["bash", "-c", 'eval "$("$1" cloud env)"; curl -s -D - -o /dev/null '
                                '-H "Authorization: Bearer $DIGITALOCEAN_TOKEN" "$DIGITALOCEAN_API_URL/v2/account"',
                                "-", self.paasctl], env=self.environment, capture_output=True, text=True, check=True)
        for line in shown.stdout.splitlines():
            if line.lower().startswith("ratelimit-remaining:"):
                return int(line.split(":")[1])
        sys.exit("the cloud does not tell how many requests are left")


@contextlib.contextmanager
def farm(paasctl, bench, servers, latency, prepare=lambda made: None, key=None):
    """A farm of that many servers that let `key` in, if given; `prepare` changes it before the cloud runs on it."""
    with tempfile.TemporaryDirectory() as folder:
        made = Farm(os.path.realpath(paasctl), folder)
        subprocess.run([os.path.realpath(bench), "world", str(servers), folder, *([key] if key else [])], check=True)
        os.chmod(f"{folder}/paas.lock", 0o600)
        apart(lambda: prepare(made))
        made.start(latency)
        try:
            yield made
        finally:
            made.run("cloud", "down", "--purge")
