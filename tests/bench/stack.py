#!/usr/bin/env python3
"""Prints what `paasctl validate` and `paasctl plan` cost of a stack file with many services, none of which exists yet.

Usage: [RUNS=N] stack.py PAASCTL [SERVICES]. The plan asks a local cloud of records with 20 ms an answer. Judges nothing.
"""

import os
import sys
import tempfile

from farm import Farm, figures

WEB_SERVICES = 40  # Each has a rule of the load balancer's firewall, which can have 50.
LINKED = 20  # Links give a service tags, and its target's firewall a rule.


def stack_of(services):
    text = ("stack: wide\ncloud: local\nregion: nyc3\nssh: {from: [0.0.0.0/0]}\nimages: {web: {pull: \"example/web:1\"}}\n"
            "services:\n")
    for number in range(1, services + 1):
        if number <= WEB_SERVICES:
            text += (f"  s{number}:\n    type: web\n    image: web\n    port: 8000\n    env: {{MODE: \"{number}\"}}\n"
                     "    health: {path: /health}\n    scale: {min: 1, max: 4}\n")
        else:
            text += (f"  s{number}:\n    type: worker\n    image: web\n    env: {{MODE: \"{number}\"}}\n"
                     f"    links: [s{number % LINKED + 1}]\n")
    return text + "lb: {listen: [80], rules: [{to: s1}]}\n"


def measure(paasctl, services):
    with tempfile.TemporaryDirectory() as folder:
        made = Farm(os.path.realpath(paasctl), folder)
        with open(f"{folder}/paas.yaml", "w") as file:
            file.write(stack_of(services))
        made.run("cloud", "up", "--metadata-only", "--latency", "20ms")
        try:
            for words in (["validate"], ["plan"]):
                cost = figures([made.paasctl, *words], made.environment, folder)
                lines = len(cost.texts[0].splitlines())
                print(f"{words[0]:8} of {services} services: {cost}; {lines} lines of output", flush=True)
        finally:
            made.run("cloud", "down", "--purge")


measure(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1000)
