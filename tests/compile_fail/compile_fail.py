#!/usr/bin/env python3
# Compiles wrong programs: each must be refused with its sentence, and only for its fault.
"""Usage: compile_fail.py --compiler CXX [--include FOLDER]... [--part K/N] FOLDER

Each FOLDER/*.cpp begins with the line

    // Must not compile: the sentence that the compiler must say.

and holds its mended form under `#ifdef FIXED`. It must be refused as it is, with the sentence in an
error or note of the compiler, and accepted with -DFIXED: it fails for its fault, not for another.
The headers that all of them include are compiled once before.
--part: every N-th case from the K-th.
"""
import argparse
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import tempfile

FIRST_LINE = re.compile(r"^// Must not compile: (\S.*)$")
SAYS = re.compile(r"(?:error|note): (.*)")


HEADERS = '#include "millrace/topology.hpp"\n'


def compiler(options, *arguments):
    includes = [f"-I{folder}" for folder in options.include]
    done = subprocess.run(
        [options.compiler, "-std=c++20", "-fno-diagnostics-color", *includes, *arguments],
        capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
        env={**os.environ, "LC_ALL": "C.UTF-8"})
    return done.returncode == 0, done.stdout + done.stderr


def compile_it(options, path, *more):
    return compiler(options, "-fsyntax-only", "-include", str(options.headers), *more, str(path))


def one_space(text):
    return re.sub(r"\s+", " ", text)


def judge(options, path):
    """What is wrong with the case, or None."""
    source = path.read_text()
    match = FIRST_LINE.match(source.split("\n", 1)[0])
    if not match:
        return "its first line is not '// Must not compile: <sentence>'"
    if not re.search(r"^\s*#\s*if(def|ndef| defined\(?)\s*FIXED\b", source, re.MULTILINE):
        return "it has no '#ifdef FIXED' that mends it"
    sentence = one_space(match.group(1)).strip()
    accepted, output = compile_it(options, path)
    if accepted:
        return "it compiles"
    # Echoed source lines do not count: only what the compiler says itself.
    said = [one_space(line) for line in SAYS.findall(output)]
    if not any(sentence in line for line in said):
        head = "\n    ".join(line for line in output.splitlines() if "error" in line)[:1500]
        return f"it is refused without the sentence '{sentence}', but with\n    {head}"
    accepted, output = compile_it(options, path, "-DFIXED")
    if not accepted:
        return f"it is refused with -DFIXED too\n    {output[:1500]}"
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--compiler", required=True)
    parser.add_argument("--include", action="append", default=[])
    parser.add_argument("--part", default="0/1")
    parser.add_argument("folder", type=pathlib.Path)
    options = parser.parse_args()
    first, step = map(int, options.part.split("/"))
    cases = sorted(options.folder.glob("*.cpp"))[first::step]
    if not cases:
        print(f"{options.folder} holds no case")
        return 1
    with (tempfile.TemporaryDirectory() as folder,
          concurrent.futures.ThreadPoolExecutor(2) as pool):
        options.headers = pathlib.Path(folder) / "headers.hpp"
        options.headers.write_text(HEADERS)
        accepted, output = compiler(
            options, "-x", "c++-header", str(options.headers), "-o", f"{options.headers}.gch")
        if not accepted:
            print(output)
            return 1
        verdicts = list(pool.map(lambda path: judge(options, path), cases))
    wrong = 0
    for path, verdict in zip(cases, verdicts):
        wrong += verdict is not None
        print(f"{path.name}: {'refused as it should be' if verdict is None else verdict}")
    print(f"{len(cases) - wrong} of {len(cases)} cases as they should be")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
