#!/usr/bin/env python3
# Checks the rules of the house that a compiler does not: layers, names, sizes, links, clean text.
"""Usage: tests/tidy/tidy.py [--root FOLDER] [--shrink]

Prints one line for each broken rule and exits 1 if there is one. tests/tidy/ratchet.txt holds what
was broken when a rule came ("rule path value"); a value may only shrink, and --shrink lowers it to
what is true.
"""
import argparse
import collections
import pathlib
import posixpath
import re
import subprocess
import sys

import cpp_shape

COLUMNS_MAX = 100
FUNCTION_LINES_MAX = 70
FILE_LINES_MAX = 500
CLASS_BODY_LINES_MAX = 149

CPP = {".cpp", ".hpp"}
CODE_TREES = ("src/", "include/", "apps/", "bench/", "examples/", "tests/")
SLASH_COMMENT = CPP | {".ts", ".tsx", ".js", ".mjs"}
HASH_COMMENT = {".py", ".sh", ".cmake"}
BINARY = {".ckpt", ".gz", ".png", ".ico", ".woff2", ".jpg", ".webp"}
# Not written by hand, or kept byte for byte.
FOREIGN = re.compile(r"(^|/)(LICENSE|NOTICE|package-lock\.json|dist/.*)$|^data/.*\.csv$|\.patch$"
                     r"|^tests/fuzz/corpus/")
MAY_PRINT = re.compile(r"^src/((host|program)/|base/check\.cpp$)")
PRINTS = re.compile(
    r"\bstd::(?:cout|cerr|clog)\b|\bfmt::print\b"
    r"|(?<![\w.>])(?:std::|::)?"
    r"(?:v?f?printf|puts|fputs|putchar|_?exit|_Exit|quick_exit|abort|signal|sigaction)\s*\("
)
MACHINE_PATH = re.compile(r"(?<![\w.$}\-])/(?:work|root|home)/")
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(["<])([^">]+)[">]', re.MULTILINE)
MD_LINK = re.compile(r"!?\[[^\]]*\]\(\s*<?([^)\s>]+)")

Problem = collections.namedtuple("Problem", "rule path value text")


class Tree:
    """The files of a checkout, read once."""

    def __init__(self, root):
        self.root = root
        self.paths = sorted(path for path in self._list() if (root / path).is_file())
        self._texts = {}

    def _list(self):
        asked = subprocess.run(
            ["git", "-C", str(self.root), "ls-files", "-co", "--exclude-standard", "-z"],
            capture_output=True, check=False)
        top = subprocess.run(["git", "-C", str(self.root), "rev-parse", "--show-prefix"],
                             capture_output=True, check=False)
        if asked.returncode == 0 and top.stdout.strip() == b"":
            return {name for name in asked.stdout.decode().split("\0") if name}
        skipped = {".git", "build", "node_modules", "__pycache__"}
        return {
            path.relative_to(self.root).as_posix()
            for path in self.root.rglob("*")
            if not skipped & set(path.relative_to(self.root).parts)
        }

    def text(self, path):
        if path not in self._texts:
            self._texts[path] = (self.root / path).read_bytes().decode("utf-8", "replace")
        return self._texts[path]

    def written(self):
        """Text files that a person wrote."""
        return [path for path in self.paths
                if pathlib.PurePath(path).suffix not in BINARY and not FOREIGN.search(path)]

    def cpp(self):
        return [path for path in self.written()
                if path.startswith(CODE_TREES) and pathlib.PurePath(path).suffix in CPP]


class Layers:
    """The table of layers.txt."""

    def __init__(self, path):
        self.floors = {}
        self.only = {}
        for line in path.read_text().splitlines():
            if line.startswith("only "):
                allowed, folders = line[len("only "):].split(":")
                self.only.update({folder: allowed.split() for folder in folders.split()})
            elif line and not line.startswith("#"):
                floor, *folders = line.split()
                self.floors.update({folder: int(floor) for folder in folders})

    @staticmethod
    def folder_of(path):
        """src/record/arena.hpp lies in `record`, include/millrace/a/b.hpp in `include/millrace`."""
        parts = path.split("/")
        if parts[0] == "include":
            return "/".join(parts[:2])
        return parts[1] if parts[0] == "src" and len(parts) > 2 else parts[0]


def included_path(tree, path, quote, name):
    """The project's file that an include means, or None when it is somebody else's."""
    known = set(tree.paths)
    beside = posixpath.normpath((pathlib.PurePosixPath(path).parent / name).as_posix())
    candidates = [f"include/{name}", f"src/{name}", name] + ([beside] if quote == '"' else [])
    return next((candidate for candidate in candidates if candidate in known), None)


def check_layers(tree, layers):
    for path in tree.cpp():
        own = layers.folder_of(path)
        if own not in layers.floors:
            yield Problem("layers", path, 1, f"folder '{own}' has no floor in layers.txt")
            continue
        for quote, name in INCLUDE.findall(tree.text(path)):
            target = included_path(tree, path, quote, name)
            if target is None:
                # Quotes are for the project's own files; generated ones lie under generated/.
                if quote == '"' and not name.startswith("generated/"):
                    yield Problem("layers", path, 1,
                                  f'includes "{name}", which is not in the tree')
                continue
            other = layers.folder_of(target)
            if other == own:
                continue
            if layers.floors.get(other, 99) >= layers.floors[own]:
                yield Problem("layers", path, 1,
                              f"floor {layers.floors[own]} ({own}) includes {name} of floor "
                              f"{layers.floors.get(other, '?')} ({other})")
            elif other not in layers.only.get(own, [other]):
                yield Problem("layers", path, 1,
                              f"{own} may include public headers only, not {name}")


def check_stems(tree, layers):
    places = collections.defaultdict(set)
    for path in tree.cpp():
        pure = pathlib.PurePosixPath(path)
        places[pure.stem].add(pure.parent.as_posix())
    for stem, folders in sorted(places.items()):
        # A public header and the face file it belongs to; the program named as the project.
        allowed = [{f"src/{stem}", "include/millrace"}]
        if stem == "millrace":
            allowed.append({"apps", "include/millrace"})
        if len(folders) > 1 and not any(folders <= pair for pair in allowed):
            yield Problem("stem", stem, 1,
                          f"files named {stem} lie in {', '.join(sorted(folders))}")


def check_face(tree, layers):
    folders = {path.split("/")[1] for path in tree.cpp()
               if path.startswith("src/") and path.count("/") >= 2}
    for folder in sorted(folders):
        face = f"src/{folder}/{folder}.hpp"
        if face not in tree.paths:
            yield Problem("face", f"src/{folder}", 1, f"has no face file {face}")


def opening_comment(text, mark):
    lines = text.splitlines()
    if lines and lines[0].startswith("#!"):
        lines = lines[1:]
    comment = []
    for line in lines:
        if not line.startswith(mark):
            break
        comment.append(line[len(mark):].strip())
    return " ".join(comment)


def check_first_line(tree, layers):
    for path in tree.written():
        suffix = pathlib.PurePath(path).suffix
        shell = suffix == "" and tree.text(path).startswith("#!")
        mark = "//" if suffix in SLASH_COMMENT else "#" if suffix in HASH_COMMENT or shell else None
        if mark and not re.match(r"\S.*[.:]", opening_comment(tree.text(path), mark)):
            yield Problem("first_line", path, 1,
                          "does not begin with a sentence that says what it is")


def check_sizes(tree, layers):
    for path in tree.written():
        suffix = pathlib.PurePath(path).suffix
        script = suffix in {".py", ".sh"} or path.startswith(("tools/", ".ci/"))
        if not script and suffix not in SLASH_COMMENT:
            continue
        lines = tree.text(path).splitlines()
        # The page's sources are left out: mark-up within code breaks badly at a column.
        wide = [at for at, line in enumerate(lines, 1) if len(line) > COLUMNS_MAX]
        if wide and (script or suffix in CPP):
            yield Problem("columns", path, len(wide),
                          f"{len(wide)} lines over {COLUMNS_MAX} columns, first {wide[0]}")
        if len(lines) > FILE_LINES_MAX:
            yield Problem("file_lines", path, len(lines),
                          f"{len(lines)} lines, at most {FILE_LINES_MAX}")


def check_shapes(tree, layers):
    for path in tree.cpp():
        worst = {}
        for kind, name, first, last, body in cpp_shape.blocks(tree.text(path)):
            size = last - first + 1 if kind == "function" else body
            limit = FUNCTION_LINES_MAX if kind == "function" else CLASS_BODY_LINES_MAX
            if size > limit and size > worst.get(kind, (0, ""))[0]:
                worst[kind] = (size, f"line {first}: '{name}' has {size} lines, at most {limit}")
        for kind, (size, text) in worst.items():
            yield Problem(f"{kind}_lines", path, size, text)


def check_output(tree, layers):
    for path in tree.cpp():
        if not path.startswith(("src/", "include/")) or MAY_PRINT.match(path):
            continue
        code = cpp_shape.code_only(tree.text(path))
        for match in PRINTS.finditer(code):
            line = code.count("\n", 0, match.start()) + 1
            yield Problem("output", path, 1,
                          f"line {line}: '{match.group(0).strip(' (')}': only host and program "
                          "print, exit or install handlers")


def check_links(tree, layers):
    for path in tree.written():
        if not path.endswith(".md"):
            continue
        text = re.sub(r"```.*?```|`[^`\n]*`", "", tree.text(path), flags=re.DOTALL)
        for link in MD_LINK.findall(text):
            target = link.split("#")[0]
            if not target or re.match(r"[a-z]+:", link):
                continue
            if not (tree.root / path).parent.joinpath(target).exists():
                yield Problem("link", path, 1, f"links to {link}, which does not exist")


def check_text(tree, layers):
    for path in tree.written():
        tabs_allowed = pathlib.PurePath(path).name in ("Makefile", ".gitmodules")
        for at, line in enumerate(tree.text(path).split("\n"), 1):
            problem = ("a carriage return" if line.endswith("\r") else
                       "a tab" if "\t" in line and not tabs_allowed else
                       "space at the end" if line != line.rstrip() else None)
            if problem:
                yield Problem("whitespace", path, 1, f"line {at} has {problem}")
            if MACHINE_PATH.search(line):
                yield Problem("machine_path", path, 1,
                              f"line {at} names a path of somebody's machine")


def check_errors(tree, layers):
    declared, written = "src/base/status.hpp", "docs/errors.md"
    if declared not in tree.paths or written not in tree.paths:
        return
    codes = set(re.findall(r"^\s+(\w+) = (\d{4}),", tree.text(declared), re.MULTILINE))
    rows = re.findall(r"^\| (\d{4}) \| (\w+) \|", tree.text(written), re.MULTILINE)
    for name, number in sorted(codes ^ {(name, number) for number, name in rows}):
        place = declared if (name, number) in codes else written
        yield Problem("errors", written, 1, f"{number} {name} stands in {place} only")


CHECKS = (check_layers, check_stems, check_face, check_first_line, check_sizes, check_shapes,
          check_output, check_links, check_text, check_errors)


def read_ratchet(path):
    held = {}
    if path.exists():
        for line in path.read_text().splitlines():
            if line and not line.startswith("#"):
                rule, name, value = line.split()
                held[(rule, name)] = int(value)
    return held


def write_ratchet(path, held):
    comments = [line for line in path.read_text().splitlines() if line.startswith("#")]
    rows = [f"{rule} {name} {value}" for (rule, name), value in sorted(held.items())]
    path.write_text("\n".join(comments + rows) + "\n")


def judge(problems, held):
    """What is broken beyond the ratchet, what it allows without need, and the shrunk ratchet."""
    actual = collections.Counter()
    for problem in problems:
        actual[(problem.rule, problem.path)] += problem.value
    broken = [problem for problem in problems
              if actual[(problem.rule, problem.path)] > held.get((problem.rule, problem.path), 0)]
    stale = {key: value for key, value in held.items() if actual[key] < value}
    shrunk = {key: min(value, actual[key]) for key, value in held.items() if actual[key]}
    return broken, stale, shrunk


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=pathlib.Path,
                        default=pathlib.Path(__file__).resolve().parents[2])
    parser.add_argument("--shrink", action="store_true", help="lower the ratchet to what is true")
    arguments = parser.parse_args()
    folder = arguments.root / "tests" / "tidy"
    tree = Tree(arguments.root)
    layers = Layers(folder / "layers.txt")
    problems = [problem for check in CHECKS for problem in check(tree, layers)]
    ratchet = folder / "ratchet.txt"
    broken, stale, shrunk = judge(problems, read_ratchet(ratchet))
    for problem in broken:
        print(f"{problem.path}: {problem.rule}: {problem.text}")
    if arguments.shrink and ratchet.exists():
        write_ratchet(ratchet, shrunk)
        stale = {}
    for (rule, name), value in sorted(stale.items()):
        print(f"{name}: {rule}: the ratchet still allows {value}; run tests/tidy/tidy.py --shrink")
    print(f"tidy: {len(tree.paths)} files, {len(broken)} broken, {len(stale)} stale in the ratchet")
    return 1 if broken or stale else 0


if __name__ == "__main__":
    sys.exit(main())
