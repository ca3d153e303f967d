#!/usr/bin/env python3
"""Prints what `paasctl plan --refresh cloud` of existing servers costs: requests, time, memory.

Usage: [RUNS=N] plan.py PAASCTL BENCH_SCALE [SERVERS ...]. The real binary asks a local cloud of records with 20 ms an answer.
Judges nothing.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

RUNS = int(os.environ.get("RUNS", "5"))
KEY = "a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s="  # 32 times "k", as bench_scale seals with


def measured(command, environment, folder):
    """Seconds, peak memory in bytes and standard output of one run."""
    with tempfile.TemporaryFile() as output:
        began = time.perf_counter()
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=output)
        _, status, usage = os.wait4(process.pid, 0)
        took = time.perf_counter() - began
        if os.waitstatus_to_exitcode(status) != 0:
            sys.exit(f"{' '.join(command)} failed")
        output.seek(0)
        return took, usage.ru_maxrss * 1024, output.read().decode()


def requests_left(environment):
    """How many the cloud says are left this hour; asking takes one of them."""
    shown = subprocess.run(["bash", "-c", 'eval "$($0 cloud env)"; curl -s -D - -o /dev/null '
                            '-H "Authorization: Bearer $DIGITALOCEAN_TOKEN" "$DIGITALOCEAN_API_URL/v2/account"',
                            environment["PAASCTL"]], env=environment, capture_output=True, text=True, check=True)
    for line in shown.stdout.splitlines():
        if line.lower().startswith("ratelimit-remaining:"):
            return int(line.split(":")[1])
    sys.exit("the cloud does not tell how many requests are left")


def plan_of(text):
    """What there is to do; the world is made so that it is nothing."""
    return next((line for line in text.splitlines() if line.startswith("Nothing to do")), "there is something to do")


def measure(paasctl, bench, servers):
    with tempfile.TemporaryDirectory() as folder:
        environment = dict(os.environ, HOME=folder, XDG_STATE_HOME=f"{folder}/state", XDG_RUNTIME_DIR=folder,
                           XDG_CONFIG_HOME=f"{folder}/config", PAASCTL_KEY=KEY, PAASCTL=paasctl)
        cloud = f"{folder}/state/paasctl/cloud"
        for name in ("DIGITALOCEAN_TOKEN", "DIGITALOCEAN_ACCESS_TOKEN", "DIGITALOCEAN_API_URL"):
            environment.pop(name, None)

        def run(*words):
            subprocess.run([paasctl, *words], env=environment, cwd=folder, check=True, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)

        subprocess.run([bench, "world", str(servers), folder], check=True)
        os.chmod(f"{folder}/paas.lock", 0o600)
        run("cloud", "up", "--metadata-only", "--latency", "20ms")
        run("cloud", "down")
        with open(f"{cloud}/state.json") as file:
            own = json.load(file)
        with open(f"{folder}/state.json") as file:
            made = json.load(file)
        made["settings"] = own["settings"]
        with open(f"{cloud}/state.json", "w") as file:
            json.dump(made, file)
        del made
        run("cloud", "up")
        try:
            plan = [paasctl, "plan", "--refresh", "cloud"]
            _, _, text = measured(plan, environment, folder)
            before = requests_left(environment)
            figures = [measured(plan, environment, folder)[:2] for _ in range(RUNS)]
            asked = (before - requests_left(environment) - 1) / RUNS
        finally:
            run("cloud", "down", "--purge")
    times, sizes = zip(*figures)
    print(f"{servers:7} servers: {asked:5.0f} requests, {statistics.median(times):6.2f} s "
          f"(fastest {min(times):.2f} s), {max(sizes) / 1e6:6.1f} MB; {plan_of(text)}", flush=True)


program, generator = os.path.realpath(sys.argv[1]), os.path.realpath(sys.argv[2])
print(f"plan --refresh cloud, 20 ms an answer, median of {RUNS} runs")
for number in [int(word) for word in sys.argv[3:]] or [1000, 10000, 50000]:
    measure(program, generator, number)
