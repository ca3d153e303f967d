#!/usr/bin/env python3
"""Compares the table of tests/SURVIVAL.md with the tests that exist.

Fails when one of the 47 cases has no row, when a row names a test that is not there, and when a test is named after a
case whose row does not name it. A row may say which part of the product is still to bring its test instead.
"""

import pathlib
import re
import sys

TESTS = pathlib.Path(__file__).resolve().parents[1]
CASES = range(1, 48)
TO_COME = "to come: "
problems = []


def read_rows():
    """Number -> what its last cell lists."""
    rows = {}
    for line in (TESTS / "SURVIVAL.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else []
        if len(cells) != 3 or not cells[0].isdigit():
            continue
        number = int(cells[0])
        if number in rows:
            problems.append(f"case {number} has two rows")
        rows[number] = [entry.strip() for entry in cells[2].split("<br>")]
    return rows


def test_names(path):
    """The names of a file's tests; a long one is written as several literals."""
    text = path.read_text(encoding="utf-8")
    literals = r'((?:"(?:[^"\\]|\\.)*"\s*)+)'
    found = re.findall(r"TEST_CASE(?:_FIXTURE)?\(\s*(?:\w+,\s*)?" + literals, text)
    return {"".join(re.findall(r'"((?:[^"\\]|\\.)*)"', name)) for name in found}


def check_entry(number, entry):
    """The test that a row names, as it is called in its file."""
    if entry.startswith(TO_COME):
        if len(entry) < len(TO_COME) + 10:
            problems.append(f"case {number}: what is to bring its test?")
        return None
    place, _, name = entry.partition(": ")
    path = TESTS / place
    if not name or not path.is_file():
        problems.append(f"case {number}: \"{entry}\" names no file of tests/ and a test in it")
        return None
    if path.suffix == ".cpp":
        name = f"case {number}: {name}"
        if name not in test_names(path):
            problems.append(f"{place} has no test \"{name}\"")
    elif name not in path.read_text(encoding="utf-8"):
        problems.append(f"{place} does not say \"{name}\"")
    return place, name


def main():
    rows = read_rows()
    named = {check_entry(number, entry) for number, entries in rows.items() for entry in entries}
    problems.extend(f"case {number} has no row" for number in CASES if number not in rows)
    problems.extend(f"there is no case {number}" for number in rows if number not in CASES)
    for path in sorted(TESTS.glob("*/*_test.cpp")):
        place = str(path.relative_to(TESTS))
        for name in sorted(test_names(path)):
            if re.match(r"case \d+: ", name) and (place, name) not in named:
                problems.append(f"SURVIVAL.md does not name \"{name}\" of {place}")
    for problem in problems:
        print(problem)
    print(f"{len(rows)} cases, {len(named - {None})} tests, {len(problems)} problems")
    sys.exit(1 if problems else 0)


main()
