"""The outputs shown in README.md are what the program prints: every indented block that begins with `$ polypath`.

    python3 tests/repo/transcripts.py BINARY            compares; exit code 1 when one differs
    python3 tests/repo/transcripts.py BINARY --write    writes what the program prints into the document

Run from the repository's root. Lines that only say where a run was stored, and empty lines at the end, are left out.
"""

import difflib
import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

DOCUMENT = Path("README.md")
PROMPT = "    $ polypath "


def printed(binary: str, command: str, directory: str) -> list[str]:
    """What one command prints, as lines of the document's block."""
    words = shlex.split(command)
    if words[0] in ("run", "replay"):
        words += ["--db", os.path.join(directory, "transcripts.db")]
    environment = dict(os.environ, NO_COLOR="1")
    done = subprocess.run([binary, *words], capture_output=True, text=True, env=environment, check=False)
    if done.returncode not in (0, 1):
        raise SystemExit(f"{DOCUMENT}: polypath {command}: exit code {done.returncode}: {done.stderr.strip()}")
    lines = [line for line in done.stdout.splitlines() if not line.startswith("stored ")]
    while lines and not lines[-1].strip():
        lines.pop()
    return ["    " + line.rstrip() if line.strip() else "" for line in lines]


def renewed(text: str, binary: str) -> str:
    """The document with every transcript replaced by what its command prints now."""
    out: list[str] = []
    lines = text.splitlines()
    at = 0
    with tempfile.TemporaryDirectory() as directory:
        while at < len(lines):
            out.append(lines[at])
            if not lines[at].startswith(PROMPT):
                at += 1
                continue
            out += printed(binary, lines[at][len(PROMPT):], directory)
            at += 1
            while at < len(lines) and (lines[at].startswith("    ") or not lines[at]):
                at += 1
            if out[-1]:
                out.append("")
    return "\n".join(out) + "\n"


def main(arguments: list[str]) -> int:
    if len(arguments) not in (1, 2) or arguments[1:] not in ([], ["--write"]):
        print("usage: transcripts.py BINARY [--write]", file=sys.stderr)
        return 2
    before = DOCUMENT.read_text(encoding="utf-8")
    after = renewed(before, arguments[0])
    if before == after:
        return 0
    if arguments[1:] == ["--write"]:
        DOCUMENT.write_text(after, encoding="utf-8")
        return 0
    lines = before.splitlines(), after.splitlines()
    print("\n".join(difflib.unified_diff(*lines, str(DOCUMENT), "what is printed", lineterm="", n=0)))
    print(f"write it anew: python3 tests/repo/transcripts.py {arguments[0]} --write")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
