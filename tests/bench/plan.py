#!/usr/bin/env python3
"""Prints what `paasctl plan --refresh cloud` of existing servers costs: requests, time, memory.

Usage: [RUNS=N] plan.py PAASCTL BENCH_SCALE [SERVERS ...]. The real binary asks a local cloud of records with 20 ms an answer.
Judges nothing.
"""

import sys

from farm import RUNS, farm, figures, measured


def plan_of(text):
    """What there is to do; the world is made so that it is nothing."""
    return next((line for line in text.splitlines() if line.startswith("Nothing to do")), "there is something to do")


def measure(paasctl, bench, servers):
    with farm(paasctl, bench, servers, "20ms") as made:
        plan = [made.paasctl, "plan", "--refresh", "cloud"]
        measured(plan, made.environment, made.folder)
        before = made.requests_left()
        cost = figures(plan, made.environment, made.folder)
        asked = (before - made.requests_left() - 1) / RUNS
    print(f"{servers:7} servers: {asked:5.0f} requests, {cost}; {plan_of(cost.texts[0])}", flush=True)


print(f"plan --refresh cloud, 20 ms an answer, median of {RUNS} runs")
for number in [int(word) for word in sys.argv[3:]] or [1000, 10000, 50000]:
    measure(sys.argv[1], sys.argv[2], number)
