#!/usr/bin/env python3
"""Compares every #include of lib/ and cmd/ with the table of modules in ARCHITECTURE.md.

Fails on an include that the table does not allow, on a module that is in only one of the two places, on a circle in
the table or in what is included, and on CLI11 outside cmd/.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
problems = []


def read_table():
    """Module -> modules that it may include."""
    allowed = {}
    for line in (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else []
        if cells == ["module", "what it is", "may include"]:
            allowed = {"": set()}
        elif allowed and not cells:
            break
        elif allowed and not cells[0].startswith("---"):
            allowed[cells[0]] = set(cells[2].split())
    allowed.pop("", None)
    return allowed


def read_includes(modules):
    """Module -> other module -> places where it is included."""
    found = {module: {} for module in modules}
    for path in sorted([*ROOT.glob("lib/*/*.[ch]pp*"), *ROOT.glob("cmd/*/*.[ch]pp*")]):
        place = path.relative_to(ROOT)
        module = place.parts[1]
        if module not in found:
            problems.append(f"{place}: module {module} is not in the table of ARCHITECTURE.md")
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if place.parts[0] == "lib" and re.match(r'\s*#\s*include\s*[<"]CLI/', line):
                problems.append(f"{place}:{number}: CLI11 is included only in cmd/")
            include = re.match(r'\s*#\s*include\s*"([^"]+)"', line)
            if not include:
                continue
            other, _, rest = include.group(1).partition("/")
            if place.parts[0] == "lib" and not rest:
                problems.append(f"{place}:{number}: {include.group(1)} is not named from the root of lib/")
            elif rest and other != module:
                found[module].setdefault(other, []).append(f"{place}:{number}")
    return found


def circle(graph):
    """A way from a module back to itself, or nothing."""
    done, way = set(), []

    def visit(module):
        if module in way:
            return way[way.index(module):] + [module]
        if module in done:
            return None
        way.append(module)
        for other in sorted(graph.get(module, ())):
            if seen := visit(other):
                return seen
        way.pop()
        done.add(module)
        return None

    for module in sorted(graph):
        if seen := visit(module):
            return " -> ".join(seen)
    return None


allowed = read_table()
folders = {path.name for path in [*ROOT.glob("lib/*"), *ROOT.glob("cmd/*")] if path.is_dir()}
for module in sorted(folders ^ set(allowed)):
    problems.append(f"{module} is " + ("not in the table" if module in folders else "in the table, but no folder"))
found = read_includes(allowed)
for module, others in found.items():
    for other, places in others.items():
        if other not in allowed[module]:
            problems.append(f"{places[0]}: {module} may not include {other}")
for name, graph in (("the table", allowed), ("the includes", found)):
    if seen := circle({module: set(others) for module, others in graph.items()}):
        problems.append(f"{name} has a circle: {seen}")

print("\n".join(problems) or f"{len(allowed)} modules include what the table allows")
sys.exit(1 if problems or len(allowed) < 10 else 0)
