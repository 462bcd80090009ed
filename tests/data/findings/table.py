"""Sizes before and after `polypath minimize`, as a Markdown table, and the median of the steps after.

table.py POLYPATH [SCENARIO...]   without scenarios: the ten of this directory
"""
import json
import statistics
import subprocess
import sys
from pathlib import Path

polypath, *files = sys.argv[1:]
rows = []
for path in sorted(map(Path, files)) or sorted(Path(__file__).parent.glob("*.yaml")):
    done = subprocess.run([polypath, "minimize", "--json", path], capture_output=True, text=True, check=True)
    rows.append((path.stem, json.loads(done.stdout)))
print("| finding | rule | steps | controllers | namespaces | hosts | steps with latitude | runs |")
print("| --- | --- | --- | --- | --- | --- | --- | --- |")
for name, found in rows:
    sizes = " | ".join(f"{found['before'][k]} to {found['after'][k]}"
                       for k in ("steps", "controllers", "namespaces", "hosts", "free_steps"))
    print(f"| {name} | {found['rule']} | {sizes} | {found['trials']} |")
print("\nmedian of the steps after:", statistics.median(found["after"]["steps"] for _, found in rows))
