"""Checks of the repository itself: layers between rooms, determinism of the code that runs inside a world, tidiness.

Each check is a function `check_*(tree)` that yields one line "path:line: what is wrong" per violation. tree_test.py
plants one violation for each and sees it caught. Standard library only; run as: python3 tests/repo/tree.py [ROOT]
"""

import os
import re
import subprocess
import sys
from pathlib import Path

# architecture: a room sees rooms of lower layers; rooms of one layer may use each other except where SEPARATE says so.
LAYERS = {
    "spec": 1, "engine": 1,
    "program": 2, "trace": 2, "port": 2,
    "device": 3, "link": 3, "host": 3, "model": 3, "topology": 3,
    "target": 4, "check": 4,
    "fuzz": 5, "qemu": 5, "store": 5, "scenario": 5, "replay": 5, "explore": 5, "reduce": 5, "conform": 5,
    "cli": 6,
}
SEPARATE = [{"device", "link"}, {"host"}, {"model"}, {"topology"}]  # no member of one group sees another group
SPEC_ONLY_ROOMS = {"spec", "engine"}  # see nothing but themselves

# Everything that runs inside a world: same program and seed, same hashes, on every compiler and machine.
WORLD_ROOMS = {"spec", "engine", "program", "trace", "port", "device", "link", "host", "model", "check", "topology"}
BANNED_IN_WORLD = [
    (r"\b(?:s?rand|drand48|random)\s*\(", "random numbers come from engine decisions"),
    (r"\bstd::(?:random_device|mt19937(?:_64)?|minstd_rand0?|default_random_engine)\b",
     "random numbers come from engine decisions"),
    (r"\bstd::\w+_distribution\b", "std:: distributions differ between standard libraries"),
    (r"\bstd::(?:ranges::)?(?:shuffle|sample)\b", "std::shuffle differs between standard libraries"),
    (r"\bstd::(?:pmr::)?unordered_\w+", "hash order differs between standard libraries: use a sorted container"),
    (r"\bstd::hash\b", "std::hash differs between standard libraries: use engine/hash.h"),
    (r"\bstd::chrono::\w*_clock\b", "a world has virtual time only"),
    (r"(?<![\w.>:])(?:std::)?(?:time|clock)\s*\(\s*(?:NULL|nullptr|0|&\w+)?\s*\)", "a world has virtual time only"),
    (r"\b(?:gettimeofday|clock_gettime|localtime|gmtime)\s*\(", "a world has virtual time only"),
    (r"\bstd::(?:jthread|thread|async|mutex|condition_variable|atomic)\b", "no threads inside a world"),
    (r"\bu?intptr_t\b", "addresses differ from run to run: refer by handle"),
    (r"\b(?:std::)?getenv\s*\(", "a run is a function of program, seed and profile"),
]

# Third-party headers that are heavy or belong to one job stay in the rooms that own the job.
OWNED_HEADERS = [
    (r"yaml-cpp/", {"scenario"}),
    (r"sqlite3\.h", {"store"}),
    (r"zlib\.h", {"trace", "store"}),
    (r"CLI/", {"cli"}),
    (r"nlohmann/", {"cli", "scenario", "store", "replay", "conform"}),
]

# Files that may be longer than MAX_LINES, each with its reason.
LONG_FILES: dict[str, str] = {
    "tests/unit/model/every_rule_test.cpp": "one history for each rule, a lawful and a broken one, and nothing else",
}
MAX_LINES = 1200
MAX_COLUMNS = 120

CODE = {".h", ".cpp", ".py", ".cmake"}
DATA = ("tests/data/", "fuzz/corpus/")  # held as they came, or broken on purpose


class Tree:
    """The files of the checkout that belong to the project, each read once."""

    def __init__(self, root):
        self.root = Path(root).resolve()
        self.paths = sorted(self._list())
        self._text = {}

    def _list(self):
        if (self.root / ".git").exists():
            command = ["git", "-C", str(self.root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
            listed = subprocess.run(command, check=True, capture_output=True).stdout.decode()
            return [p for p in listed.split("\0") if p and (self.root / p).is_file()]
        found = []  # an unpacked archive: all but what .gitignore names
        for directory, subdirectories, files in os.walk(self.root):
            subdirectories[:] = [d for d in subdirectories if d not in {"build", ".venv", "__pycache__"}]
            found += [os.path.relpath(os.path.join(directory, f), self.root) for f in files]
        return [p for p in found if not p.startswith("polypath.db")]

    def text(self, path):
        """The file as text; None when it is binary."""
        if path not in self._text:
            data = (self.root / path).read_bytes()
            binary = b"\0" in data[:4096] or data[:2] == b"\x1f\x8b"
            self._text[path] = None if binary else data.decode("utf-8", "replace")
        return self._text[path]

    def lines(self, path):
        return enumerate((self.text(path) or "").splitlines(), 1)

    def code(self, *tops):
        """C++ files below the named folders, or all of them."""
        for path in self.paths:
            if path.endswith((".h", ".cpp")) and (not tops or path.split("/")[0] in tops):
                yield path

    def scripts_and_code(self):
        for path in self.paths:
            if path.startswith(DATA) or self.text(path) is None:
                continue
            name = os.path.basename(path)
            is_script = (self.text(path) or "").startswith("#!")
            if Path(path).suffix in CODE or name in {"CMakeLists.txt", "Makefile"} or is_script:
                yield path


def room_of(path):
    parts = path.split("/")
    return parts[1] if len(parts) > 2 and parts[0] == "core" else None


def declared_rooms(tree):
    """{room: rooms that it may see}, from the polypath_room() calls of CMakeLists.txt, with all that follows."""
    direct = {}
    for call in re.finditer(r"^polypath_room\(([^)]*)\)", tree.text("CMakeLists.txt") or "", re.M):
        words = call.group(1).split()
        depends = words[words.index("DEPENDS") + 1:] if "DEPENDS" in words else []
        direct[words[0]] = set(depends[:depends.index("EXTERNAL")] if "EXTERNAL" in depends else depends)

    def closure(room, seen):
        for other in direct.get(room, ()):
            if other not in seen:
                seen.add(other)
                closure(other, seen)
        return seen

    return {room: closure(room, set()) for room in direct}


def without_comments_and_strings(text):
    """The same text, same lines, with comments, string and character literals blanked."""
    def blank(match):
        return re.sub(r"[^\n]", " ", match.group(0))

    pattern = r"""//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|(?<!\w)'(?:\\.|[^'\\\n])+'"""
    return re.sub(pattern, blank, text, flags=re.S)


def check_declared_layers(tree):
    """CMakeLists.txt links rooms only downwards, and device, host, model and topology never to each other."""
    for room, sees in sorted(declared_rooms(tree).items()):
        if room not in LAYERS:
            yield f"CMakeLists.txt:1: room {room} is in no layer: add it to LAYERS in tests/repo/tree.py"
            continue
        for other in sorted(sees):
            if LAYERS.get(other, 99) > LAYERS[room]:
                yield f"CMakeLists.txt:1: {room} sees {other}, which lies above it"
        if LAYERS[room] == 3:
            for group in SEPARATE:
                for other in sorted(sees & group):
                    if room not in group:
                        yield f"CMakeLists.txt:1: {room} sees {other}: these two never see each other"
        if room in SPEC_ONLY_ROOMS and sees:
            yield f"CMakeLists.txt:1: {room} sees {', '.join(sorted(sees))}: it stands alone"


def check_includes(tree):
    """An #include "room/..." names the file's own room or one that the layers let it see."""
    rooms = declared_rooms(tree)
    for path in tree.code("core"):
        own = room_of(path)
        allowed = set(rooms) | {"cli"} if own == "cli" else rooms.get(own, set()) | {own}
        for number, line in tree.lines(path):
            match = re.match(r'\s*#\s*include\s*["<]((?:\.\./)*)(\w+)/', line)
            if not match:
                continue
            if match.group(1):
                yield f"{path}:{number}: include by room (\"room/file.h\"), not by relative path"
            elif match.group(2) in LAYERS and match.group(2) not in allowed:
                yield f"{path}:{number}: {own} must not include {match.group(2)}/ (layers: CMakeLists.txt)"


def check_model_sees_the_boundary_only(tree):
    """The reference model judges by what an observer could see, never by the simulator's inside annotations."""
    for path in tree.code("core"):
        if room_of(path) == "model":
            for number, line in enumerate(without_comments_and_strings(tree.text(path)).splitlines(), 1):
                if re.search(r"\bInside(?:Event)?\b|\binside_events\b", line):
                    yield f"{path}:{number}: core/model must not read inside annotations"


def check_banned_in_world(tree):
    """Nothing inside a world depends on clocks, addresses, hash order, threads or a standard library's choice."""
    for path in tree.code("core"):
        if room_of(path) in WORLD_ROOMS:
            for number, line in enumerate(without_comments_and_strings(tree.text(path)).splitlines(), 1):
                for pattern, why in BANNED_IN_WORLD:
                    match = re.search(pattern, line)
                    if match:
                        yield f"{path}:{number}: {match.group(0).strip()}: {why}"


def check_owned_headers(tree):
    """Third-party headers are included only by the rooms whose job they are."""
    for path in tree.code("core"):
        for number, line in tree.lines(path):
            match = re.match(r'\s*#\s*include\s*[<"]([^>"]+)', line)
            header = match.group(1) if match else ""
            for pattern, rooms in OWNED_HEADERS:
                if re.match(pattern, header) and room_of(path) not in rooms:
                    yield f"{path}:{number}: {header} belongs to {', '.join(sorted(rooms))}"


def check_headers(tree):
    """A header says what it is in its first line, is guarded, opens no namespace for its includers, and is used."""
    included = set()
    for path in tree.code():
        for _, line in tree.lines(path):
            match = re.match(r'\s*#\s*include\s*"([^"]+)"', line)
            if match:
                included.add(os.path.basename(match.group(1)))
    for path in tree.code():
        if not path.endswith(".h"):
            continue
        text = tree.text(path)
        if not text.startswith("//"):
            yield f"{path}:1: a header starts with a comment that says what it is"
        if "#pragma once" not in text:
            yield f"{path}:1: #pragma once is missing"
        for number, line in tree.lines(path):
            if re.match(r"\s*using\s+namespace\b", line):
                yield f"{path}:{number}: using namespace in a header"
        if os.path.basename(path) not in included:
            yield f"{path}:1: no file includes this header"


def check_tests_can_fail(tree):
    """No test is switched off."""
    for path in tree.code("tests"):
        for number, line in enumerate(without_comments_and_strings(tree.text(path)).splitlines(), 1):
            if re.search(r"\bTEST\w*\(.*\bDISABLED_", line) or re.search(r"\bEXPECT_TRUE\(true\)", line):
                yield f"{path}:{number}: a test that cannot fail"


def check_names(tree):
    """No manager, helper or util: such a name says that the thing has no job of its own. No name that is an option."""
    for path in tree.paths:
        if os.path.basename(path).startswith("-"):
            yield f"{path}:1: an option that a program took for the name of its output; remove it"
    for path in tree.code():
        if re.search(r"(?:^|_)(?:manager|helpers?|utils?|misc|common)(?:_|\.)", os.path.basename(path)):
            yield f"{path}:1: name the file after its one job"
        for number, line in enumerate(without_comments_and_strings(tree.text(path)).splitlines(), 1):
            if re.search(r"\b(?:class|struct)\s+\w*(?:Manager|Helper|Util)s?\b", line):
                yield f"{path}:{number}: name the type after its one job"


def check_text(tree):
    """Line length, tabs, trailing blanks, last newline, unfinished-work marks, length of files."""
    unfinished = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b")
    for path in tree.scripts_and_code():
        text = tree.text(path)
        lines = text.splitlines()
        if len(lines) > MAX_LINES and path not in LONG_FILES:
            yield f"{path}:{MAX_LINES}: {len(lines)} lines: split it by job, or list it in LONG_FILES with a reason"
        if text and not text.endswith("\n"):
            yield f"{path}:{len(lines)}: no newline at the end"
        table = False  # rows that stay on one line each, between clang-format off and on
        for number, line in enumerate(lines, 1):
            if re.match(r"\s*// clang-format o(?:n|ff)\b", line):
                table = "off" in line
            if len(line) > MAX_COLUMNS and not table:
                yield f"{path}:{number}: {len(line)} columns, more than {MAX_COLUMNS}"
            if "\t" in line and os.path.basename(path) != "Makefile":
                yield f"{path}:{number}: tab"
            if line != line.rstrip():
                yield f"{path}:{number}: blanks at the end of the line"
            if unfinished.search(line):
                yield f"{path}:{number}: unfinished work: do it, or file an issue and delete the mark"


def check_machine_traces(tree):
    """No path of one machine and no registry's host in anything that is tracked."""
    machine_path = re.compile(r"(?<![\w.}$/\-*)])/(?:wo" r"rk|ho" r"me|ro" r"ot)(?:/|\b)")
    host = re.compile(r"\b(?:deb\.debi" r"an\.org|pypi\.o" r"rg|pythonhost" r"ed\.org|crat" r"es\.io|npm" r"js\.org|"
                      r"proxy\.gol" r"ang\.org|repo\.mav" r"en)\b")
    for path in tree.paths:
        for number, line in tree.lines(path):
            for pattern, what in ((machine_path, "path of one machine"), (host, "host of a registry")):
                match = pattern.search(line)
                if match:
                    yield f"{path}:{number}: {what}: {match.group(0)}"


def heading_anchors(text):
    """Anchors of a Markdown text as they are commonly made: lower case, blanks to hyphens, punctuation dropped."""
    anchors = set()
    for line in re.sub(r"^```.*?^```", "", text, flags=re.S | re.M).splitlines():
        match = re.match(r"#+\s+(.*)", line)
        if match:
            anchors.add(re.sub(r"[^\w\- ]", "", match.group(1).lower()).strip().replace(" ", "-"))
    return anchors


def check_links(tree):
    """Relative links of Markdown files lead to files that exist, and to headings that exist."""
    for path in tree.paths:
        if not path.endswith(".md"):
            continue
        text = re.sub(r"^```.*?^```", lambda m: re.sub(r"[^\n]", " ", m.group(0)), tree.text(path), flags=re.S | re.M)
        for number, line in enumerate(text.splitlines(), 1):
            for target in re.findall(r"\[[^\]]*\]\(([^)\s]+)\)", re.sub(r"`[^`]*`", "", line)):
                if re.match(r"[a-z]+:", target):
                    continue
                name, _, anchor = target.partition("#")
                linked = os.path.normpath(os.path.join(os.path.dirname(path), name)) if name else path
                if not (tree.root / linked).exists():
                    yield f"{path}:{number}: link to {target}: no such file"
                elif anchor and anchor not in heading_anchors((tree.root / linked).read_text(encoding="utf-8")):
                    yield f"{path}:{number}: link to {target}: no such heading"


def check_scripts_run(tree):
    """A file that starts with #! can be executed."""
    for path in tree.paths:
        if (tree.text(path) or "").startswith("#!") and not os.access(tree.root / path, os.X_OK):
            yield f"{path}:1: not executable"


CHECKS = [value for name, value in sorted(globals().items()) if name.startswith("check_")]


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[2]
    tree = Tree(root)
    violations = [line for check in CHECKS for line in check(tree)]
    for line in violations:
        print(line)
    print(f"{len(tree.paths)} files, {len(CHECKS)} checks, {len(violations)} violations")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
