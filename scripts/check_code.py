#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs a compiler or clang-tidy over each file, in parallel, and remembers what passed.

    check_code.py headers   each public header compiles alone, without warnings
    check_code.py tidy      clang-tidy over src/core, src/io, src/programs and actors

A file is done again only when it, a project file it includes, its command, the tool or .clang-tidy has changed.
"""

import concurrent.futures
import hashlib
import json
import os
import pathlib
import subprocess
import sys

sys.dont_write_bytecode = True  # the source tree stays as it is

import check_includes

ROOT = check_includes.ROOT
CACHE = ROOT / "build" / "check-cache"
DATABASE = ROOT / "build" / "release" / "compile_commands.json"
TIDY_ROOMS = ("src/core/", "src/io/", "src/programs/", "actors/")


def closure_of(path: str) -> list:
    """The file and all project files that it includes."""
    seen, waiting = {path}, [path]
    while waiting:
        current = waiting.pop()
        for _, is_system, name in check_includes.includes_of(current):
            target = "" if is_system else check_includes.resolve(current, name)
            if target and target not in seen:
                seen.add(target)
                waiting.append(target)
    return sorted(seen)


def key_of(path: str, command: list, salt: str) -> str:
    # Another clone of the same files has the same results.
    digest = hashlib.sha256(json.dumps([command, salt]).replace(str(ROOT), "").encode())
    for file in closure_of(path):
        digest.update(file.encode() + b"\0" + (ROOT / file).read_bytes() + b"\0")
    return digest.hexdigest()


def run(path: str, command: list, salt: str) -> tuple:
    """(path, whether it passed, what the tool said, whether it was remembered)."""
    mark = CACHE / key_of(path, command, salt)
    if mark.exists():
        return path, True, "", True
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode == 0:
        mark.touch()
        return path, True, "", False
    said = "\n".join(line for line in (done.stdout + done.stderr).splitlines()
                     if not line.endswith(("warnings generated.", "warning generated."))
                     and not line.startswith(("Suppressed ", "Use -header-filter")))
    return path, False, said, False


def header_jobs() -> list:
    compiler = os.environ.get("CXX", "c++")
    headers = sorted(file.relative_to(ROOT).as_posix() for file in (ROOT / "include").rglob("*.hpp"))
    flags = ["-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Wshadow", "-Wnon-virtual-dtor", "-Werror", "-Iinclude"]
    # As a second header beside an empty program: `#pragma once` in a main file is a warning of its own.
    return [(header, [compiler, *flags, "-include", header, "-x", "c++", "/dev/null"]) for header in headers]


def tidy_jobs() -> list:
    jobs = []
    for entry in json.loads(DATABASE.read_text()):
        file = pathlib.Path(entry["file"])
        path = file.relative_to(ROOT).as_posix() if file.is_relative_to(ROOT) else ""
        if path.startswith(TIDY_ROOMS) and file.is_file():
            # The warnings are gcc's to judge; clang has others of the same names.
            jobs.append((path, ["clang-tidy", "--quiet", "--extra-arg=-Wno-error", "-p", str(DATABASE.parent), path],
                         entry["command"]))
    # The largest first: the slowest must not start last.
    jobs.sort(key=lambda job: -(ROOT / job[0]).stat().st_size)
    return jobs


def main() -> int:
    if len(sys.argv) != 2 or sys.argv[1] not in ("headers", "tidy"):
        print(__doc__, file=sys.stderr)
        return 2
    what = sys.argv[1]
    if what == "headers":
        jobs = header_jobs()
        salt = subprocess.run([jobs[0][1][0], "--version"], check=True, capture_output=True, text=True).stdout
        work = [(path, command, salt) for path, command in jobs]
    else:
        salt = (ROOT / ".clang-tidy").read_text() + subprocess.run(
            ["clang-tidy", "--version"], check=True, capture_output=True, text=True).stdout
        work = [(path, command, salt + compiled) for path, command, compiled in tidy_jobs()]
    CACHE.mkdir(parents=True, exist_ok=True)
    failed = remembered = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for future in concurrent.futures.as_completed([pool.submit(run, *job) for job in work]):
            path, passed, said, known = future.result()
            remembered += known
            if not passed:
                failed += 1
                print(f"{path}: FAILED\n{said}", flush=True)
    print(f"{what}: {len(work)} files, {remembered} unchanged since they passed, {failed} failed")
    return 1 if failed or not work else 0


if __name__ == "__main__":
    sys.exit(main())
