#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Licence lines, Markdown links and leftover notes in all files of the project; names long files.

Prints each fault as FILE:LINE: error: ..., and exits 1 when there is one. A long file is a note, not a fault.
"""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
LICENCE = "SPDX-License-Identifier: Apache-2.0"
COMMENTED = {".hpp", ".cpp", ".cmake", ".py", ".yaml", ".yml", ".service", ".in"}
LEFTOVER = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b")
LONG_LINES = 300
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)(?:\s+\"[^\"]*\")?\)")
HEADING = re.compile(r"^#{1,6}\s+(.*?)\s*#*$")


def needs_licence(path: str, text: str) -> bool:
    if path.startswith("tests/") and "/corpus/" in path:
        return False
    return pathlib.Path(path).suffix in COMMENTED or pathlib.Path(path).name in ("CMakeLists.txt", "Makefile") \
        or text.startswith("#!")


def prose_lines(text: str):
    """(number, line) outside of code blocks."""
    fenced = False
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("```"):
            fenced = not fenced
        elif not fenced:
            yield number, line


def anchors_of(path: pathlib.Path) -> set:
    """The anchors that the headings of a Markdown file get where it is shown."""
    found = set()
    for _, line in prose_lines(path.read_text()):
        match = HEADING.match(line)
        if match:
            words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", match[1]).lower()
            anchor = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
            repeat, number = anchor, 0
            while repeat in found:
                number += 1
                repeat = f"{anchor}-{number}"
            found.add(repeat)
    return found


def link_faults(path: str, text: str):
    for number, line in prose_lines(text):
        for target in LINK.findall(re.sub(r"`[^`]*`", "", line)):
            if re.match(r"[a-z]+:", target):
                continue
            name, _, anchor = target.partition("#")
            file = (ROOT / path).parent / name if name else ROOT / path
            if not file.exists():
                yield number, f"the link's target '{name}' does not exist"
            elif anchor and file.suffix == ".md" and anchor not in anchors_of(file):
                yield number, f"'{name or path}' has no heading '#{anchor}'"


def faults_of(path: str, text: str):
    lines = text.splitlines()
    if needs_licence(path, text) and not any(LICENCE in line for line in lines[:3]):
        yield 1, f"'{LICENCE}' is missing in the first three lines"
    for number, line in enumerate(lines, 1):
        match = LEFTOVER.search(line)
        if match:
            yield number, f"'{match[1]}' left behind"
    if path.endswith(".md"):
        yield from link_faults(path, text)


def main() -> int:
    listed = subprocess.run(["git", "ls-files", "-coz", "--exclude-standard", "--deduplicate"], cwd=ROOT, check=True,
                            capture_output=True, text=True).stdout.split("\0")
    count = checked = 0
    for path in listed:
        if not path or not (ROOT / path).is_file():
            continue
        try:
            text = (ROOT / path).read_text()
        except UnicodeDecodeError:
            continue  # binary: a recorded message, an image
        checked += 1
        for line, message in faults_of(path, text):
            print(f"{path}:{line}: error: {message}")
            count += 1
        length = text.count("\n")
        if length > LONG_LINES and path.endswith((".hpp", ".cpp", ".py")):
            print(f"{path}: note: {length} lines")
    print(f"files: {checked} files, {count} faults")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
