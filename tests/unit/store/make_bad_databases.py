#!/usr/bin/env python3
"""Makes tests/data/bad/database from scratch: files that are no store, or a damaged or hostile one.

Usage: make_bad_databases.py GOOD_STORE DIRECTORY      (GOOD_STORE: a store with one run, in one file, no -wal)
"""
import shutil
import sqlite3
import struct
import sys
from pathlib import Path

good, out = Path(sys.argv[1]), Path(sys.argv[2])
out.mkdir(parents=True, exist_ok=True)
connection = sqlite3.connect(good)  # small pages make small files
connection.execute("PRAGMA journal_mode = DELETE")
connection.execute("PRAGMA page_size = 512")
connection.execute("VACUUM")
connection.close()
data = good.read_bytes()


def write(name, content):
    (out / name).write_bytes(content)


def changed(name, *statements):
    path = out / name
    shutil.copy(good, path)
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode = DELETE")
    connection.execute("PRAGMA writable_schema = ON")
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


write("text.db", b"name: this is a scenario, not a store\n" * 40)
write("header_only.db", data[:100])
write("truncated.db", data[: len(data) // 2])
write("first_page_only.db", data[:512])
write("page_size_nonsense.db", data[:16] + b"\x00\x03" + data[18:])
write("schema_page_overwritten.db", data[:100] + b"\xa5" * 412 + data[512:])
write("every_page_overwritten.db", data[:512] + bytes((i * 37) % 256 for i in range(len(data) - 512)))
changed("newer_version.db", "PRAGMA user_version = 99")
changed("negative_version.db", "PRAGMA user_version = -5")
changed("version_zero.db", "PRAGMA user_version = 0")
changed("other_application.db", "PRAGMA application_id = 12345")
changed("no_runs_table.db", "DROP TABLE runs")
changed("missing_column.db", "ALTER TABLE runs RENAME COLUMN verdict TO opinion")
changed("view_for_table.db", "ALTER TABLE findings RENAME TO real", "CREATE VIEW findings AS SELECT * FROM real")
changed("schema_text_nonsense.db", "UPDATE sqlite_schema SET sql = 'CREATE TABLE runs (' WHERE name = 'runs'")
# These open; what they hold does not.
changed("trace_is_text.db", "UPDATE traces SET blob = 'no trace at all'")
changed("trace_cut.db", "UPDATE traces SET blob = substr(blob, 1, 60)")
changed("trace_byte_flipped.db",
        "UPDATE traces SET blob = CAST(substr(blob, 1, 40) || X'FF' || substr(blob, 42) AS BLOB)")
changed("trace_promises_much.db",
        "UPDATE traces SET blob = CAST(substr(blob, 1, 8) || X'FFFFFFFFFFFFFF7F' || substr(blob, 17) AS BLOB)")
foreign = out / "foreign.db"
foreign.unlink(missing_ok=True)
connection = sqlite3.connect(foreign)
connection.execute("CREATE TABLE bookmarks(url TEXT)")
connection.commit()
connection.close()
