"""Plants one violation for each check of tree.py in a copy of the checkout, and sees that check catch it there."""

import shutil
import tempfile
import unittest
from pathlib import Path

import tree as checks

ROOT = Path(__file__).parents[2]


class PlantedViolations(unittest.TestCase):
    pristine = checks.Tree(ROOT)

    def setUp(self):
        directory = tempfile.TemporaryDirectory(dir=self.scratch())
        self.addCleanup(directory.cleanup)
        self.root = Path(directory.name)
        for path in self.pristine.paths:
            if not path.startswith(checks.DATA):
                (self.root / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / path, self.root / path)

    @staticmethod
    def scratch():
        build = ROOT / "build"
        build.mkdir(exist_ok=True)
        return build

    def plant(self, path, text, append=True):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        before = file.read_text(encoding="utf-8") if append and file.exists() else ""
        file.write_text(before + text, encoding="utf-8")

    def assert_caught(self, check, path, words):
        found = list(check(checks.Tree(self.root)))
        self.assertTrue(any(line.startswith(path + ":") and words in line for line in found),
                        f"{check.__name__} did not say '{words}' of {path}; it said: {found}")

    def plant_link(self, old, new):
        file = self.root / "CMakeLists.txt"
        text = file.read_text(encoding="utf-8")
        self.assertIn(old, text)
        file.write_text(text.replace(old, new), encoding="utf-8")

    def test_a_room_linked_upwards(self):
        self.plant_link("polypath_room(trace DEPENDS", "polypath_room(trace DEPENDS check")
        self.assert_caught(checks.check_declared_layers, "CMakeLists.txt", "trace sees check")

    def test_a_room_in_no_layer(self):
        self.plant("CMakeLists.txt", "polypath_room(extras DEPENDS spec)\n")
        self.assert_caught(checks.check_declared_layers, "CMakeLists.txt", "in no layer")

    def test_model_linked_to_device(self):
        self.plant_link("polypath_room(model DEPENDS", "polypath_room(model DEPENDS device")
        self.assert_caught(checks.check_declared_layers, "CMakeLists.txt", "model sees device")

    def test_engine_linked_to_the_standard(self):
        self.plant_link("polypath_room(engine)", "polypath_room(engine DEPENDS spec)")
        self.assert_caught(checks.check_declared_layers, "CMakeLists.txt", "engine sees spec")

    def test_model_includes_device_link_or_host(self):
        for room in ("device", "host", "link", "port"):
            self.plant(f"core/model/planted_{room}.cpp", f'#include "{room}/anything.h"\n')
            self.assert_caught(checks.check_includes, f"core/model/planted_{room}.cpp", f"must not include {room}/")

    def test_device_includes_host(self):
        self.plant("core/device/planted.cpp", '#include "host/anything.h"\n')
        self.assert_caught(checks.check_includes, "core/device/planted.cpp", "must not include host/")

    def test_engine_includes_spec(self):
        self.plant("core/engine/planted.cpp", "#include <spec/commands.h>\n")
        self.assert_caught(checks.check_includes, "core/engine/planted.cpp", "must not include spec/")

    def test_include_by_relative_path(self):
        self.plant("core/host/planted.cpp", '#include "../device/device.h"\n')
        self.assert_caught(checks.check_includes, "core/host/planted.cpp", "not by relative path")

    def test_lawful_includes_pass(self):
        self.plant("core/device/planted.cpp", '#include "device/state.h"\n#include "engine/hash.h"\n#include <span>\n')
        self.assertFalse([x for x in checks.check_includes(checks.Tree(self.root)) if "device/planted" in x])

    def test_model_reads_inside_annotations(self):
        self.plant("core/model/planted.cpp", "void f(const trace::InsideEvent& event);\n")
        self.assert_caught(checks.check_model_sees_the_boundary_only, "core/model/planted.cpp", "inside annotations")

    def test_banned_calls(self):
        lines = ("int a = rand();", "int a = std::rand();", "std::random_device d;", "std::mt19937_64 g;",
                 "std::uniform_int_distribution<int> d;", "std::shuffle(a, b, c);", "std::unordered_map<int, int> m;",
                 "std::hash<int> h;", "auto t = std::chrono::steady_clock::now();", "auto t = time(nullptr);",
                 "auto t = std::time(&x);", "clock_gettime(CLOCK_REALTIME, &t);", "std::thread t;", "std::mutex m;",
                 "auto a = reinterpret_cast<std::uintptr_t>(p);", 'getenv("SEED");')
        for room in ("engine", "device", "host", "model", "program", "trace", "port"):
            self.plant(f"core/{room}/planted.cpp", "\n".join(lines) + "\n")
        found = list(checks.check_banned_in_world(checks.Tree(self.root)))
        for room in ("engine", "device", "host", "model", "program", "trace", "port"):
            for number, line in enumerate(lines, 1):
                place = f"core/{room}/planted.cpp:{number}:"
                self.assertTrue(any(x.startswith(place) for x in found), f"{place} {line} passed")

    def test_banned_words_in_comments_and_strings_pass(self):
        self.plant("core/engine/planted.cpp", '// never rand()\nauto s = "std::thread"; /* time(0) */\nrun_time(0);\n')
        self.assertFalse([x for x in checks.check_banned_in_world(checks.Tree(self.root)) if "planted" in x])

    def test_heavy_header_in_the_wrong_room(self):
        self.plant("core/device/planted.cpp", "#include <sqlite3.h>\n")
        self.assert_caught(checks.check_owned_headers, "core/device/planted.cpp", "belongs to store")

    def test_headers(self):
        self.plant("core/engine/planted.h", "using namespace std;\n")
        for words in ("starts with a comment", "#pragma once", "using namespace", "no file includes"):
            self.assert_caught(checks.check_headers, "core/engine/planted.h", words)

    def test_a_test_that_is_switched_off(self):
        self.plant("tests/unit/engine/planted.cpp", "TEST(Engine, DISABLED_Order) {}\n")
        self.assert_caught(checks.check_tests_can_fail, "tests/unit/engine/planted.cpp", "cannot fail")

    def test_names_without_a_job(self):
        self.plant("core/engine/queue_util.cpp", "// A comment.\nclass QueueManager {};\n")
        self.assert_caught(checks.check_names, "core/engine/queue_util.cpp:1", "its one job")
        self.assert_caught(checks.check_names, "core/engine/queue_util.cpp:2", "its one job")

    def test_a_file_named_like_an_option(self):
        self.plant("--help", "usage\n")
        self.assert_caught(checks.check_names, "--help:1", "remove it")

    def test_text(self):
        self.plant("core/engine/planted.cpp", "// " + "x" * 130 + "\n\tint a;\nint b; \n// TO" + "DO: later\nint c;")
        for words in ("columns", "tab", "blanks at the end", "unfinished", "no newline"):
            self.assert_caught(checks.check_text, "core/engine/planted.cpp", words)

    def test_a_file_that_is_too_long(self):
        self.plant("core/engine/planted.cpp", "// x\n" * (checks.MAX_LINES + 1))
        self.assert_caught(checks.check_text, "core/engine/planted.cpp", "split it by job")

    def test_machine_paths_and_registry_hosts(self):
        self.plant("docs/planted.md", "See /ro" + "ot/notes.\n")
        self.assert_caught(checks.check_machine_traces, "docs/planted.md", "path of one machine")
        self.plant("tools/planted.txt", "https://pypi" + ".org/simple\n")
        self.assert_caught(checks.check_machine_traces, "tools/planted.txt", "host of a registry")

    def test_links_of_the_readme(self):
        self.plant("README.md", "\n[gone](docs/gone.md) [here](#no-such-heading) [web](https://example.com/x)\n")
        self.assert_caught(checks.check_links, "README.md", "link to docs/gone.md: no such file")
        self.assert_caught(checks.check_links, "README.md", "link to #no-such-heading: no such heading")
        self.assertFalse([x for x in checks.check_links(checks.Tree(self.root)) if "example.com" in x])

    def test_a_script_that_cannot_be_executed(self):
        self.plant("tools/planted", "#!/bin/sh\n")
        self.assert_caught(checks.check_scripts_run, "tools/planted", "not executable")

    def test_every_check_has_a_planted_violation(self):
        source = Path(__file__).read_text(encoding="utf-8")
        for check in checks.CHECKS:
            self.assertRegex(source, rf"checks\.{check.__name__}[,(]")


if __name__ == "__main__":
    unittest.main()
