#!/usr/bin/env python3
# Plants one fault of each kind in a small tree and asserts that tidy.py names it, and nothing else.
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
HEADER = "// A header that says what it is.\n#pragma once\n"
GOOD = {
    "src/base/base.hpp": HEADER,
    "src/base/check.cpp": '// May end the process.\n#include "base/base.hpp"\n'
                          "void f() { std::abort(); }\n",
    "src/record/record.hpp": HEADER + '#include "base/base.hpp"\n#include <vector>\n',
    "src/record/record.cpp": '// A pair shares its stem.\n#include "record/record.hpp"\n',
    "src/runtime/runtime.hpp": HEADER + '#include "record/record.hpp"\n',
    "src/host/host.hpp": HEADER + "inline void say() { std::cout << 1; exit(0); }\n"
                         '#include "millrace/millrace.hpp"\n#include "runtime/runtime.hpp"\n',
    "include/millrace/millrace.hpp": HEADER + '#include "runtime/runtime.hpp"\n',
    "include/millrace/record.hpp": HEADER + '#include "record/record.hpp"\n',
    "apps/millrace.cpp": "// The program.\n#include <millrace/millrace.hpp>\n",
    "bench/speed.cpp": "// A measurement.\n#include <millrace/millrace.hpp>\n",
    "README.md": "[here](src/base/base.hpp) [away](https://example.org/x) `[no](link)`\n",
    "Makefile": "all:\n\ttrue\n",
}


def function(lines):
    return "void f() {\n" + "  g(\"}{\");  // }\n" * (lines - 2) + "}\n"


def class_of(body_lines):
    return "class C {\n" + "  int a_{1};\n" * body_lines + "};\n"


class TidyTest(unittest.TestCase):
    def setUp(self):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="tidy_selftest."))
        self.addCleanup(shutil.rmtree, self.root)
        for path, text in GOOD.items():
            self.put(path, text)
        (self.root / "tests/tidy").mkdir(parents=True)
        shutil.copy(HERE / "layers.txt", self.root / "tests/tidy")

    def put(self, path, text):
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_bytes(text.encode())

    def tidy(self, *options):
        done = subprocess.run(
            [sys.executable, str(HERE / "tidy.py"), "--root", str(self.root), *options],
            capture_output=True, text=True, check=False)
        self.assertEqual(done.stderr, "")
        return done.returncode, done.stdout

    def assert_finds(self, rule, path, count=1):
        code, out = self.tidy()
        self.assertEqual(code, 1, out)
        self.assertEqual(out.count("\n"), count + 1, out)
        self.assertIn(f"{path}: {rule}: ", out)

    def assert_clean(self):
        code, out = self.tidy()
        self.assertEqual(code, 0, out)

    def test_a_good_tree_passes(self):
        self.assert_clean()

    def test_a_higher_floor(self):
        self.put("src/base/low.hpp", HEADER + '#include "record/record.hpp"\n')
        self.assert_finds("layers", "src/base/low.hpp")

    def test_the_own_floor(self):
        self.put("src/env/env.hpp", HEADER + '#include "record/record.hpp"\n')
        self.assert_finds("layers", "src/env/env.hpp")

    def test_the_engine_includes_no_sugar(self):
        self.put("src/runtime/sweet.hpp", HEADER + "#include <millrace/millrace.hpp>\n")
        self.assert_finds("layers", "src/runtime/sweet.hpp")

    def test_the_service_includes_no_sugar(self):
        self.put("src/service/service.hpp", HEADER + '#include "millrace/record.hpp"\n')
        self.assert_finds("layers", "src/service/service.hpp")

    def test_a_bench_uses_public_headers_only(self):
        self.put("bench/inner.cpp", "// Inner.\n#include <runtime/runtime.hpp>\n")
        self.assert_finds("layers", "bench/inner.cpp")

    def test_a_folder_without_floor(self):
        self.put("src/misc/misc.hpp", HEADER)
        self.assert_finds("layers", "src/misc/misc.hpp")

    def test_an_include_that_is_not_there(self):
        self.put("src/base/gone.hpp", HEADER + '#include "base/nothing.hpp"\n')
        self.assert_finds("layers", "src/base/gone.hpp")

    def test_a_stem_used_twice(self):
        self.put("src/runtime/record.hpp", HEADER)
        self.assert_finds("stem", "record")

    def test_a_public_header_that_takes_a_stem_which_is_no_face(self):
        self.put("src/record/arena.hpp", HEADER)
        self.put("include/millrace/arena.hpp", HEADER)
        self.assert_finds("stem", "arena")

    def test_no_face_file(self):
        self.put("src/state/table.hpp", HEADER)
        self.assert_finds("face", "src/state")

    def test_first_lines(self):
        self.put("src/base/mute.hpp", "#pragma once\n")
        self.put("tools/mute.py", "#!/usr/bin/env python3\nimport sys\n")
        self.put("ui/mute.ts", "const a = 1;\n")
        self.put("tools/mute", "#!/bin/sh\ntrue\n")
        self.assert_finds("first_line", "tools/mute", 4)

    def test_columns(self):
        self.put("src/base/wide.hpp", HEADER + "//" + "x" * 98 + "\n")
        self.assert_clean()
        self.put("src/base/wide.hpp", HEADER + "//" + "x" * 99 + "\n")
        self.assert_finds("columns", "src/base/wide.hpp")

    def test_long_file(self):
        self.put("src/base/long.hpp", HEADER + "//\n" * 498)
        self.assert_clean()
        self.put("src/base/long.hpp", HEADER + "//\n" * 499)
        self.assert_finds("file_lines", "src/base/long.hpp")

    def test_long_function(self):
        for before in ("", "namespace a {\n", "struct S { int x; };\n#define M {\n"):
            self.put("src/base/big.cpp", "// Big.\n" + before + function(70))
            self.assert_clean()
            self.put("src/base/big.cpp", "// Big.\n" + before + function(71))
            self.assert_finds("function_lines", "src/base/big.cpp")

    def test_long_functions_of_other_shapes(self):
        rest = "  g();\n" * 70 + "}\n"
        heads = ("TEST(Suite, name) {\n", "auto f() -> std::vector<int> {\n",
                 "C::C(int a) : a_{a}, b_(a) {\n",
                 "template <class T> requires K<T>\nint f(T t) {\n",
                 "struct Local f(int a) {\n", "bool operator()(int a) const noexcept override {\n")
        for head in heads:
            self.put("src/base/big.cpp", "// Big.\n" + head + rest)
            self.assert_finds("function_lines", "src/base/big.cpp")

    def test_long_class(self):
        self.put("src/base/room.hpp", HEADER + class_of(149))
        self.assert_clean()
        self.put("src/base/room.hpp", HEADER + "template <class T>\n" + class_of(150))
        self.assert_finds("class_lines", "src/base/room.hpp")

    def test_a_library_prints_exits_or_handles(self):
        for code in ("std::cout << 1;", "printf(a);", "std::fprintf(f, a);", "exit(1);",
                     "::abort();", "std::signal(a, b);", "fmt::print(a);"):
            self.put("src/record/loud.hpp", HEADER + "inline void f() { " + code + " }\n")
            self.assert_finds("output", "src/record/loud.hpp")

    def test_words_that_only_look_like_output(self):
        code = 'inline void f() { snprintf(a); x.exit(1); p->abort(); g("exit(1)"); } // exit(1)\n'
        self.put("src/record/quiet.hpp", HEADER + code)
        self.assert_clean()

    def test_links(self):
        self.put("docs/a.md", "[one](../README.md#top) [two](gone.md) ![three](gone.png)\n")
        self.assert_finds("link", "docs/a.md", 2)

    def test_whitespace(self):
        self.put("docs/a.md", "one \ntwo\r\nthree\tfour\n")
        self.assert_finds("whitespace", "docs/a.md", 3)

    def test_machine_paths(self):
        self.put("docs/a.md", "".join(f"see /{name}/x\n" for name in ("work", "root", "home")))
        self.assert_finds("machine_path", "docs/a.md", 3)
        self.put("docs/a.md", "see https://example.org/" + "home/x and ./" + "work/y\n")
        self.assert_clean()

    def test_the_page_of_errors_lists_the_codes(self):
        codes = "enum class Code {\n  ok = 0,\n  a = 1001,  ///<\n};\n"
        self.put("src/base/status.hpp", HEADER + codes)
        self.put("docs/errors.md", "| 1001 | a | means |\n")
        self.assert_clean()
        self.put("docs/errors.md", "| 1002 | a | means |\n")
        self.assert_finds("errors", "docs/errors.md", 2)

    def test_columns_of_the_page_are_free(self):
        self.put("ui/src/view.tsx", "// A view.\n//" + "x" * 200 + "\n")
        self.assert_clean()

    def test_the_ratchet_allows_what_it_names_and_only_shrinks(self):
        self.put("src/base/wide.hpp", HEADER + ("//" + "x" * 99 + "\n") * 2)
        ratchet = "# Exceptions.\ncolumns src/base/wide.hpp "
        self.put("tests/tidy/ratchet.txt", ratchet + "1\n")
        self.assert_finds("columns", "src/base/wide.hpp")
        self.put("tests/tidy/ratchet.txt", ratchet + "2\n")
        self.assert_clean()
        self.put("tests/tidy/ratchet.txt", ratchet + "3\n")
        code, out = self.tidy()
        self.assertEqual(code, 1, out)
        self.assertIn("the ratchet still allows 3", out)
        self.tidy("--shrink")
        self.assertEqual((self.root / "tests/tidy/ratchet.txt").read_text(), ratchet + "2\n")
        self.assert_clean()


if __name__ == "__main__":
    unittest.main()
