#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Keeps the directions core <- io <- actors <- programs, which one system include folder cannot keep.

Prints each include that goes the wrong way as FILE:LINE: error: ..., and exits 1 when there is one.
"""

import functools
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')

# Public headers that are not the core's, by the room that implements them.
FACES = {
    "include/tocsin/pipeline.hpp": "actors",
    "include/tocsin/burst.hpp": "core",
    "include/tocsin/rule_file.hpp": "io",
}

# Which rooms a room may include from.
MAY_SEE = {
    "core": {"core"},
    "io": {"core", "io"},
    "actors": {"core", "io", "actors"},
    "programs": {"core", "io", "actors", "programs"},
    "examples": {"core", "io", "actors"},
    "tests": {"core", "io", "actors", "programs", "tests"},
    "bench": {"core", "io", "actors", "tests", "bench"},
}

# Libraries whose headers stay in some rooms. Tests and benches speak a protocol from its other end.
LIBRARIES = [
    (re.compile(r"caf/"), {"actors", "tests", "bench"}),
    (re.compile(r"zmq(_addon)?\.hpp?|msgpack(\.hpp|/)|yaml-cpp/|nlohmann/|boost/|prometheus/|curl/|sqlite3\.h"), {"io", "tests", "bench"}),
    (re.compile(r"spdlog/"), {"io", "actors", "programs"}),
    (re.compile(r"CLI/"), {"programs"}),
    (re.compile(r"systemd/"), {"io", "programs"}),
    (re.compile(r"gtest/|gmock/|rapidcheck"), {"tests"}),
    (re.compile(r"benchmark/"), {"bench"}),
    (re.compile(r"openssl/"), {"io", "tests"}),
]

# The core is given its time and its bytes: it opens, waits for and prints nothing. What pages its memory lies in
# (sys/mman.h) is its own business.
CORE_HEADERS_REFUSED = re.compile(
    r"(fstream|iostream|filesystem|thread|mutex|condition_variable|future|unistd\.h|sys/(?!mman\.h).*|fcntl\.h|cstdio|stdio\.h)$")
CORE_TEXT_REFUSED = re.compile(r"\b(\w+_clock::now|absl::Now|std::time|getenv|sleep_for|sleep_until|localtime)\s*\(")
# Public headers name nothing that an installed library's user does not have.
PUBLIC_LIBRARY = re.compile(r"(caf|absl|re2|fmt|spdlog|xxh)")


def room_of(path: str) -> str:
    if path in FACES:
        return FACES[path]
    for prefix, room in (("include/", "core"), ("src/core/", "core"), ("src/io/", "io"), ("actors/", "actors"),
                         ("src/programs/", "programs"), ("tests/", "tests"), ("bench/", "bench"),
                         ("examples/", "examples")):
        if path.startswith(prefix):
            return room
    return ""


@functools.lru_cache(maxsize=None)
def includes_of(path: str) -> tuple:
    """(line, is_system, name) of each include."""
    found = []
    for number, line in enumerate((ROOT / path).read_text().splitlines(), 1):
        match = INCLUDE.match(line)
        if match:
            found.append((number, match[1] == "<", match[2]))
    return tuple(found)


@functools.lru_cache(maxsize=None)
def resolve(includer: str, name: str) -> str:
    """The project file that a quoted include names, or "" when it is none."""
    for base in (pathlib.Path(includer).parent, pathlib.Path("include"), pathlib.Path("src"), pathlib.Path("actors"),
                 pathlib.Path("."), pathlib.Path("tests")):
        if (ROOT / base / name).is_file():
            return (base / name).as_posix()
    return ""


@functools.lru_cache(maxsize=None)
def reaches(path: str) -> frozenset:
    """The system headers that including this project header brings along."""
    seen, waiting, system = {path}, [path], set()
    while waiting:
        current = waiting.pop()
        for _, is_system, name in includes_of(current):
            target = "" if is_system else resolve(current, name)
            if not target:
                system.add(name)
            elif target not in seen:
                seen.add(target)
                waiting.append(target)
    return frozenset(system)


def faults_of(path: str):
    room = room_of(path)
    if not room:
        return
    for line, is_system, name in includes_of(path):
        target = "" if is_system else resolve(path, name)
        if not target and not is_system and not any(library.match(name) for library, _ in LIBRARIES):
            yield line, f'"{name}" names no file of the project; libraries are included with <>'
            continue
        if target:
            other = room_of(target)
            if other not in MAY_SEE[room]:
                yield line, f'{room} includes "{name}" of {other}; it may see only {", ".join(sorted(MAY_SEE[room]))}'
            if target.startswith("src/core/") and room not in ("core", "tests", "bench"):
                yield line, f'"{name}" is private to the core; others use include/tocsin'
            if path.startswith("include/") and not target.startswith("include/"):
                yield line, f'a public header includes "{name}", which is not installed'
        for header in sorted(reaches(target)) if target else [name]:
            way = f' (through "{name}")' if target else ""
            for library, rooms in LIBRARIES:
                if library.match(header) and room not in rooms:
                    yield line, f"{room} includes <{header}>{way}; only {', '.join(sorted(rooms))} may"
        if not target and room == "core" and CORE_HEADERS_REFUSED.match(name):
            yield line, f"the core includes <{name}>; it opens, waits for and prints nothing"
        if not target and path.startswith("include/") and PUBLIC_LIBRARY.match(name):
            yield line, f"a public header includes <{name}>, which users of the installed library do not have"
    if room == "core":
        for number, text in enumerate((ROOT / path).read_text().splitlines(), 1):
            match = CORE_TEXT_REFUSED.search(text.split("//")[0])
            if match:
                yield number, f"the core calls {match[1]}; time and environment are given to it"


def main() -> int:
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "--deduplicate", "*.hpp", "*.cpp"],
                            cwd=ROOT, check=True, capture_output=True, text=True).stdout.split()
    files = [path for path in listed if (ROOT / path).is_file()]
    count = 0
    for path in files:
        for line, message in faults_of(path):
            print(f"{path}:{line}: error: {message}")
            count += 1
    print(f"includes: {len(files)} files, {count} faults")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
