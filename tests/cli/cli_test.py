"""The command line as a person and a script meet it: exit codes, one-line errors, JSON names, tables.

Usage: cli_test.py PATH_OF_POLYPATH (standard library only)
"""

import contextlib
import json
import os
import pathlib
import sqlite3
import subprocess
import sys
import tempfile
import unittest

SOURCE = pathlib.Path(__file__).resolve().parents[2]
DATA = SOURCE / "tests" / "data"
POLYPATH = ""


def run(*args, cwd=None, timeout=120, **more):
    environment = dict(os.environ, LC_ALL="C", **more)
    return subprocess.run([POLYPATH, *map(str, args)], capture_output=True, cwd=cwd or SOURCE, env=environment,
                          timeout=timeout)


class InScratch(unittest.TestCase):
    def setUp(self):
        self.scratch = tempfile.TemporaryDirectory()
        self.addCleanup(self.scratch.cleanup)
        self.db = pathlib.Path(self.scratch.name) / "runs.db"


class Fuzzing(InScratch):
    def fuzz(self, *more):
        folder = pathlib.Path(self.scratch.name) / "findings"
        return run("fuzz", "attach", "--runs", 300, "--fault", "sqhd-stuck", "--db", self.db, "--findings", folder,
                   "--json", *more)

    def test_a_finding_is_kept_and_its_scenario_breaks_the_same_rule(self):
        first = self.fuzz()
        self.assertEqual(first.returncode, 1, first.stderr)
        finding = json.loads(first.stdout)["findings"][0]
        self.assertFalse(finding["known"])
        again = run("run", finding["file"], "--no-store", "--json")
        self.assertEqual(again.returncode, 1, again.stderr)
        self.assertIn(finding["rule"], [f["rule"] for f in json.loads(again.stdout)["findings"]])

    def test_a_second_campaign_reports_it_under_its_old_number(self):
        old = {f["shape"]: f["id"] for f in json.loads(self.fuzz().stdout)["findings"]}
        second = self.fuzz()
        self.assertEqual(second.returncode, 1)
        for finding in json.loads(second.stdout)["findings"]:
            self.assertTrue(finding["known"])
            self.assertEqual(finding["id"], old[finding["shape"]])

    def test_a_corpus_is_kept_and_read_again(self):
        corpus = pathlib.Path(self.scratch.name) / "corpus"
        self.fuzz("--corpus", corpus)
        kept = sorted(corpus.iterdir())
        self.assertGreater(len(kept), 10)
        shown = run("fuzz", "attach", "--input", kept[0])
        self.assertEqual(shown.returncode, 0, shown.stderr)
        self.assertIn(b"steps:", shown.stdout)
        self.fuzz("--corpus", corpus, "--seed", 2)
        self.assertGreater(len(list(corpus.iterdir())), len(kept))

    def test_bad_input_is_refused(self):
        for arguments in (("--fault", "nope"), ("--corpus", "/dev/null"), ("--jobs", "0")):
            result = run("fuzz", "attach", "--runs", 1, "--db", self.db, "--findings", self.scratch.name, *arguments)
            self.assertEqual(result.returncode, 2, arguments)
        self.assertEqual(run("mutants", "score", "--fault", "nope").returncode, 2)

    def test_a_score_names_the_rule(self):
        result = run("mutants", "score", "--time", 20, "--jobs", 1, "--fault", "sqhd-stuck", "--json")
        self.assertEqual(result.returncode, 0, result.stderr)
        mutant = json.loads(result.stdout)["mutants"][0]
        self.assertTrue(mutant["noticed"])
        self.assertEqual(mutant["rule"], "INV-Q-09")


class BadInput(InScratch):
    def check(self, result, name):
        text = result.stderr.decode(errors="replace")
        self.assertEqual(result.returncode, 2, f"{name}: exit {result.returncode}\n{text}")
        self.assertEqual(result.stdout, b"", name)
        self.assertEqual(text.count("\n"), 1, f"{name}: not one line\n{text}")
        self.assertIn(name, text)
        self.assertGreater(len(text), len(name) + 20, f"{name}: says too little: {text}")

    def files(self, kind):
        folder = DATA / "bad" / kind
        found = sorted(p for p in folder.iterdir() if p.is_file() and not p.name.startswith("."))
        self.assertTrue(found, folder)
        return found

    def test_there_are_at_least_sixty_malformed_files(self):
        self.assertGreaterEqual(sum(len(self.files(k)) for k in ("scenario", "topology", "recording", "database")), 60)

    def test_scenarios(self):
        for path in self.files("scenario"):
            with self.subTest(path.name):
                self.check(run("check", path), path.name)
                self.check(run("run", path, "--db", self.db), path.name)
                self.assertFalse(self.db.exists(), "a bad scenario leaves nothing behind")

    def test_qemu_command_lines(self):
        for path in self.files("topology"):
            with self.subTest(path.name):
                self.check(run("list", "-v", "--profile", "spec", "--qemu-args", f"@{path}"), path.name)

    def test_recordings(self):
        for path in self.files("recording"):
            with self.subTest(path.name):
                self.check(run("replay", path, "--no-store"), path.name)

    def test_databases(self):
        for path in self.files("database"):
            with self.subTest(path.name):
                before = path.read_bytes()
                copy = pathlib.Path(self.scratch.name) / path.name
                copy.write_bytes(before)
                if path.name.startswith("trace_"):  # a store in order, but for the trace of its one run
                    self.check(run("trace", "show", 1, "--db", copy), path.name)
                    continue
                self.check(run("trace", "list", "--db", copy), path.name)
                self.check(run("run", "scenarios/seed.yaml", "--db", copy), path.name)
                self.assertEqual(copy.read_bytes(), before, "a file that is no store is not touched")

    def test_usage(self):
        for args in ([], ["frobnicate"], ["run"], ["run", "--seed", "x", "scenarios/seed.yaml"], ["list"],
                     ["run", "scenarios/seed.yaml", "--latitude", "wild"], ["replay"], ["mutants"]):
            with self.subTest(args):
                self.assertEqual(run(*args).returncode, 2)

    def test_names_that_do_not_exist(self):
        for args, word in ((["run", "no/such.yaml"], "no/such.yaml"),
                           (["run", "scenarios/seed.yaml", "--fault", "no-such-fault", "--no-store"], "no-such-fault"),
                           (["run", "scenarios/raw_driver.yaml", "--profile", "imaginary", "--no-store"], "imaginary"),
                           (["list", "--qemu-args", "@no/such.txt"], "no/such.txt"),
                           (["trace", "show", "1", "--db", "no/such.db"], "no/such.db"),
                           (["list", "--qemu-args", "-device nvme,serial=a,colour=red"], "colour")):
            with self.subTest(args):
                self.check(run(*args), word)


class OnQemu(InScratch):
    """A script stands in for the emulator: what it says and how it ends is known."""

    def emulator(self, body):
        path = pathlib.Path(self.scratch.name) / "emulator"
        path.write_text(f"#!/bin/sh\n[ $1 = --version ] && echo 'QEMU emulator version 7.2.99' && exit\n{body}\n")
        path.chmod(0o755)
        return str(path)

    def run_on(self, emulator, scenario="scenarios/failover.yaml", *more):
        return run("run", scenario, "--target", "qemu", "--db", self.db, *more, POLYPATH_QEMU=emulator)

    def refused(self, result, *words):
        self.assertEqual(result.returncode, 2, result.stdout)
        self.assertEqual(result.stderr.count(b"\n"), 1, result.stderr)
        for word in words:
            self.assertIn(word, result.stderr.decode())

    def test_none_and_one_that_refuses_are_bad_input(self):
        self.refused(self.run_on("/no/such/emulator"), "/no/such/emulator cannot be run; install qemu-system-x86")
        self.refused(self.run_on(self.emulator("echo boom >&2; exit 3")), "at its start: exit status 3: boom")

    def test_what_only_the_simulator_has_is_bad_input(self):
        sleeper = self.emulator("sleep 9")
        self.refused(self.run_on(sleeper, "scenarios/seed.yaml"), "scenarios/seed.yaml", "expect: list")
        self.refused(self.run_on(sleeper, "scenarios/failover.yaml", "--fault", "sqhd-stuck"), "plants a fault")

    def test_a_crash_is_a_finding_with_exit_status_and_standard_error(self):
        crash = self.emulator("n=0\nwhile read line <&3; do n=$((n + 1))\n"
                              "if [ $n = 40 ]; then echo boom >&2; exit 7; fi\necho OK 0x0 >&3\ndone")
        result = self.run_on(crash, "scenarios/failover.yaml", "--json")
        self.assertEqual(result.returncode, 1, result.stderr)
        document = json.loads(result.stdout)
        self.assertEqual(document["target"], "qemu 7.2.99")
        machine = [finding["summary"] for finding in document["findings"] if finding["rule"] == "MACHINE"]
        self.assertEqual(machine, ["qemu 7.2.99 ended: exit status 7: boom"])
        self.assertEqual(document["run"], 1)  # kept


class Run(InScratch):
    def test_json_has_the_names_that_scripts_rely_on(self):
        result = run("run", "scenarios/detach_under_io.yaml", "--json", "--db", self.db)
        self.assertEqual(result.returncode, 0, result.stderr)
        document = json.loads(result.stdout)
        for name in ("verdict", "findings", "trace_hash", "state_hash", "events", "commands", "virtual_ns", "run"):
            self.assertIn(name, document)
        self.assertEqual(document["verdict"], "pass")
        self.assertRegex(document["trace_hash"], "^[0-9a-f]{16}$")

    def test_the_same_seed_gives_the_same_hashes_and_another_seed_others(self):
        arguments = ("run", "scenarios/detach_under_io.yaml", "--json", "--no-store", "--seed")
        documents = [json.loads(run(*arguments, seed).stdout)
                     for seed in (5, 5, 6)]
        self.assertEqual(documents[0]["trace_hash"], documents[1]["trace_hash"])
        self.assertEqual(documents[0]["state_hash"], documents[1]["state_hash"])
        self.assertNotEqual(documents[0]["trace_hash"], documents[2]["trace_hash"])

    def test_a_planted_fault_is_a_finding_with_its_rule_and_events(self):
        result = run("run", "scenarios/read_after_detach.yaml", "--fault", "detached-ns-answers", "--json",
                     "--no-store")
        self.assertEqual(result.returncode, 1)
        document = json.loads(result.stdout)
        self.assertEqual(document["verdict"], "violation")
        found = [f for f in document["findings"] if f["rule"] == "INV-NS-10"]
        self.assertTrue(found, document["findings"])
        self.assertTrue(found[0]["events"])
        self.assertTrue(found[0]["area"])

    def test_a_kept_run_can_be_listed_and_its_trace_shown(self):
        self.assertEqual(run("run", "scenarios/seed.yaml", "--db", self.db).returncode, 0)
        listed = run("trace", "list", "--db", self.db)
        self.assertIn(b"pass", listed.stdout)
        shown = run("trace", "show", 1, "--db", self.db, "--inside")
        self.assertEqual(shown.returncode, 0, shown.stderr)
        self.assertIn(b"identify", shown.stdout)
        self.assertEqual(run("trace", "show", 99, "--db", self.db).returncode, 2)

    def test_a_drive_is_a_real_file_that_is_read_and_written(self):
        drive = pathlib.Path(self.scratch.name) / "drive.img"
        drive.write_bytes(bytes(1 << 20))
        scenario = pathlib.Path(self.scratch.name) / "drive.yaml"
        topology = ("name: drive\ntopology:\n  - nvme,id=nvme0,serial=foo\n"
                    f"  - nvme-ns,id=ns1,drive={drive},bus=nvme0\nhosts:\n  - {{id: host0, paths: [nvme0]}}\nsteps:\n")
        scenario.write_text(topology + "  - write: {ns: ns1, lba: 8, blocks: 1, tag: A}\n")
        self.assertEqual(run("run", scenario, "--no-store", "--media", "memory:ns1=1MiB").returncode, 0)
        self.assertEqual(drive.read_bytes(), bytes(1 << 20), "media in memory leave the file alone")
        self.assertEqual(run("run", scenario, "--no-store").returncode, 0)
        written = drive.read_bytes()
        self.assertEqual(len(written), 1 << 20)
        self.assertEqual(written[:8 * 512], bytes(8 * 512))
        self.assertNotEqual(written[8 * 512:9 * 512], bytes(512))
        self.assertEqual(written[9 * 512:], bytes((1 << 20) - 9 * 512))
        scenario.write_text(topology + "  - read: {ns: ns1, lba: 8, blocks: 1, equals: A}\n")
        self.assertEqual(run("run", scenario, "--no-store").returncode, 0, "the next run finds what this one wrote")

    def test_no_colours_when_output_is_no_terminal(self):
        self.assertNotIn(b"\x1b", run("run", "scenarios/seed.yaml", "--no-store").stdout)


class List(unittest.TestCase):
    def test_the_seed_prints_the_table_of_the_patch_series(self):
        expected = (DATA / "seed" / "nvme-list-v.txt").read_bytes()
        self.assertEqual(run("list", "-v", "scenarios/seed.yaml").stdout, expected)

    def test_json_tells_the_same(self):
        document = json.loads(run("list", "-o", "json", "scenarios/seed.yaml").stdout)
        names = [n["name"] for n in document["hosts"][0]["namespaces"]]
        self.assertEqual(names, ["nvme1n1", "nvme1n2", "nvme3n1"])

    def test_a_qemu_command_line_is_a_topology(self):
        result = run("list", "-v", "--qemu-args", f"@{DATA / 'recordings' / 'qemu-topology-args.txt'}", "--media",
                     "memory:ns1=128MiB,ns2=256MiB,ns3=64MiB")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn(b"0000:04:00.0", result.stdout)


class Replay(InScratch):
    def test_a_recording_agrees_in_every_status_and_event(self):
        result = run("replay", DATA / "recordings" / "04-detach-ctrl0.ftrace.txt.gz", "--json", "--db", self.db)
        self.assertEqual(result.returncode, 0, result.stderr)
        document = json.loads(result.stdout)
        self.assertEqual((document["commands"], document["completions"], document["agree"]), (726, 726, 726))
        self.assertEqual(document["differ"], [])
        self.assertEqual(document["unmatched"], 0)
        self.assertNotEqual(document["recording"]["verdict"], "violation")
        hazards = [f for f in document["recording"]["findings"] if f["scope"] == "hazard"]
        self.assertTrue(hazards, "the application error that the detach caused is reported as a hazard")


class Findings(InScratch):
    FINDING = DATA / "findings" / "reset-restores-attachment.yaml"

    def test_a_finding_is_minimized_to_a_scenario_that_breaks_the_same_rule(self):
        small = pathlib.Path(self.scratch.name) / "small.yaml"
        result = run("minimize", self.FINDING, "-o", small, "--json")
        self.assertEqual(result.returncode, 0, result.stderr)
        document = json.loads(result.stdout)
        self.assertEqual(document["rule"], "INV-R-10")
        self.assertEqual(document["before"]["steps"], 60)
        self.assertLessEqual(document["after"]["steps"], 8)
        self.assertEqual(document["scenario"], small.read_text())
        again = json.loads(run("run", small, "--no-store", "--json").stdout)
        self.assertIn("INV-R-10", [f["rule"] for f in again["findings"]])

    def test_an_explanation_names_rule_area_and_the_events_in_causal_order(self):
        document = json.loads(run("explain", self.FINDING, "--json").stdout)
        self.assertEqual(document["rule"], "INV-R-10")
        self.assertEqual(document["area"], "Base: Namespace Attachment")
        seen = set()
        for row in document["story"]:
            self.assertLessEqual(set(row["after"]), seen)
            seen.add(row["event"])
        self.assertTrue(document["story"][-1]["shows"])
        text = run("explain", self.FINDING).stdout.decode()
        for word in ("rule ", "area ", "allowed ", "seen ", "story ", "steps:"):
            self.assertIn(word, text)
        self.assertTrue(run("explain", self.FINDING, "--dot").stdout.startswith(b"digraph story {"))

    def test_runs_of_the_store_and_their_findings_are_minimized_and_explained(self):
        run("run", self.FINDING, "--db", self.db)
        for what in ("1", "1.1", "F1"):
            document = json.loads(run("explain", what, "--db", self.db, "--json").stdout)
            self.assertTrue(document["rule"].startswith("INV-"))
            document = json.loads(run("minimize", what, "--db", self.db, "--json").stdout)
            self.assertLessEqual(document["after"]["steps"], 8)
        for what in ("7", "1.99", "F99"):
            result = run("explain", what, "--db", self.db)
            self.assertEqual(result.returncode, 2)
            self.assertEqual(result.stderr.count(b"\n"), 1)

    def test_a_kept_run_is_replayed_and_does_not_differ(self):
        kept = json.loads(run("run", self.FINDING, "--db", self.db, "--json").stdout)
        for what in (str(kept["run"]), "F1"):
            result = run("replay", what, "--db", self.db, "--json")
            self.assertEqual(result.returncode, 1, result.stderr)
            document = json.loads(result.stdout)
            self.assertTrue(document["same"])
            self.assertEqual(document["trace_hash"], kept["trace_hash"])
            self.assertEqual(document["kept"]["state_hash"], kept["state_hash"])

    def test_a_kept_run_that_the_simulator_does_otherwise_now_is_told(self):
        run("run", "scenarios/seed.yaml", "--db", self.db)
        with contextlib.closing(sqlite3.connect(self.db)) as store, store:
            store.execute("UPDATE runs SET trace_hash = 'feed'")
        result = run("replay", 1, "--db", self.db)
        self.assertEqual(result.returncode, 1)
        self.assertIn(b"it differs", result.stdout)

    def test_a_kept_run_takes_no_other_topology(self):
        run("run", "scenarios/seed.yaml", "--db", self.db)
        for more in (("--profile", "minimal"), ("--fault", "sqhd-stuck"), ("--topology", "scenarios/seed.yaml")):
            self.assertEqual(run("replay", 1, "--db", self.db, *more).returncode, 2)

    def test_a_scenario_that_breaks_nothing_is_refused(self):
        for verb in ("minimize", "explain"):
            result = run(verb, "scenarios/seed.yaml")
            self.assertEqual(result.returncode, 2)
            self.assertIn(b"breaks no rule", result.stderr)

    def test_exploring_counts_and_finds_and_replays_what_it_found(self):
        scenario = "scenarios/explore/two_writers_and_a_reader.yaml"
        result = run("explore", scenario, "--json")
        self.assertEqual(result.returncode, 0)
        document = json.loads(result.stdout)
        self.assertTrue(document["exhaustive"])
        self.assertEqual(len(document["outcomes"]), 3)
        document = json.loads(run("explore", scenario, "--json", "--states", "10").stdout)
        self.assertFalse(document["exhaustive"])
        self.assertEqual(document["stopped_by"], "--states 10")
        result = run("explore", scenario, "--fault", "stale-read-on-other-path", "--json")
        self.assertEqual(result.returncode, 1)
        finding = json.loads(result.stdout)["findings"][0]
        choices = ",".join(map(str, finding["choices"]))
        again = run("explore", scenario, "--fault", "stale-read-on-other-path", "--choices", choices, "--json")
        self.assertEqual(again.returncode, 1)
        self.assertIn(finding["rule"], [f["rule"] for f in json.loads(again.stdout)["findings"]])
        self.assertEqual(run("explore", scenario, "--choices", "0,x").returncode, 2)


class Conformance(InScratch):
    """Two cases: one passes, the other as its `want` is."""

    WORLDS = """worlds:
  one:
    topology: ["nvme,id=nvme0,serial=x", "nvme-ns,id=ns1,size=1MiB,bus=nvme0"]
    setup: [{enable: {controller: nvme0}}]
"""
    CASES = """family: f
world: one
area: a
cases:
  - {id: T-1, title: one, origin: [1], steps: [admin: {controller: nvme0, opcode: identify, cdw10: 1}]}
  - {id: T-2, title: two, origin: [1], steps: [admin: {controller: nvme0, opcode: 0x7e, want: WANT}]}
"""

    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.scratch.name) / "cases"
        self.folder.mkdir()
        (self.folder / "worlds.yaml").write_text(self.WORLDS)

    def conform(self, want, *more):
        (self.folder / "cases.yaml").write_text(self.CASES.replace("WANT", want))
        return run("conform", "--cases", self.folder, "--db", self.db, *more)

    def kept(self, want, name):
        path = pathlib.Path(self.scratch.name) / name
        path.write_bytes(self.conform(want, "--json", "--no-store").stdout)
        return path

    def waivers(self, case="T-2", version="0.1", target="sim"):
        path = pathlib.Path(self.scratch.name) / "waivers.yaml"
        path.write_text(f"target: {target}\nversion: \"{version}\"\ncases:\n"
                        f"  - {{id: {case}, verdict: waived, argument: \"we know\"}}\n")
        return path

    def refused(self, result, word):
        self.assertEqual(result.returncode, 2, result.stdout)
        self.assertEqual(result.stderr.count(b"\n"), 1, result.stderr)
        self.assertIn(word, result.stderr.decode())

    def test_exit_code_says_whether_a_case_failed(self):
        self.assertEqual(self.conform("invalid_opcode").returncode, 0)
        failed = self.conform("success")
        self.assertEqual(failed.returncode, 1)
        self.assertIn(b"failed   T-2", failed.stdout)

    def test_only_what_fails_since_the_baseline_counts(self):
        good, bad = self.kept("invalid_opcode", "good.json"), self.kept("success", "bad.json")
        worse = self.conform("success", "--baseline", good)
        self.assertEqual(worse.returncode, 1)
        self.assertIn(b"baseline  1 fail now, 0 fail no more, 0 fail and are new", worse.stdout)
        self.assertIn(b"T-2 fails now", worse.stdout)
        same = self.conform("success", "--baseline", bad)
        self.assertEqual(same.returncode, 0, same.stdout)
        self.assertIn(b"baseline  0 fail now, 0 fail no more", same.stdout)
        better = self.conform("invalid_opcode", "--baseline", bad)
        self.assertEqual(better.returncode, 0)
        self.assertIn(b"T-2 fails no more", better.stdout)

    def test_a_case_that_the_baseline_does_not_know_counts_when_it_fails(self):
        path = self.kept("invalid_opcode", "old.json")
        document = json.loads(path.read_text())
        document["cases"] = [one for one in document["cases"] if one["id"] != "T-2"]
        path.write_text(json.dumps(document))
        fresh = self.conform("success", "--baseline", path)
        self.assertEqual(fresh.returncode, 1)
        self.assertIn(b"T-2 fails and is new", fresh.stdout)
        self.assertEqual(self.conform("invalid_opcode", "--baseline", path).returncode, 0)

    def test_a_kept_run_is_a_baseline_by_its_number(self):
        self.assertEqual(self.conform("success").returncode, 1)
        self.assertEqual(self.conform("success", "--baseline", 1).returncode, 0)
        self.assertEqual(self.conform("invalid_opcode").returncode, 0)
        self.assertEqual(self.conform("success", "--baseline", 3).returncode, 1)

    def test_a_baseline_that_is_none_is_bad_input(self):
        self.refused(self.conform("success", "--baseline", "no/such.json"), "no/such.json")
        self.refused(self.conform("success", "--baseline", 1), "runs.db")
        self.conform("success")
        self.refused(self.conform("success", "--baseline", 7), "7")
        text = pathlib.Path(self.scratch.name) / "text.json"
        for content in ("no JSON", "{}", '{"cases": [{"id": 3}]}'):
            text.write_text(content)
            with self.subTest(content):
                self.refused(self.conform("success", "--baseline", text), "text.json")

    def test_a_waived_failure_is_known_with_its_reason(self):
        result = self.conform("success", "--waivers", self.waivers(), "--json")
        self.assertEqual(result.returncode, 0, result.stderr)
        document = json.loads(result.stdout)
        self.assertEqual(document["counts"]["known"], 1)
        waived = [one for one in document["cases"] if one["id"] == "T-2"][0]
        self.assertEqual(waived["result"], "known")
        self.assertIn("we know", waived["reason"])

    def test_a_waiver_whose_case_passes_is_reported_and_fails_the_run(self):
        result = self.conform("invalid_opcode", "--waivers", self.waivers())
        self.assertEqual(result.returncode, 1)
        self.assertIn(b"T-2", result.stdout)

    def test_a_waiver_of_another_target_or_version_waives_nothing(self):
        self.assertEqual(self.conform("success", "--waivers", self.waivers(version="9.9")).returncode, 1)
        self.assertEqual(self.conform("success", "--waivers", self.waivers(target="qemu")).returncode, 1)

    def test_waivers_that_cannot_be_read_are_bad_input(self):
        self.refused(self.conform("success", "--waivers", "no/such.yaml"), "no/such.yaml")
        path = self.waivers()
        path.write_text("target: sim\ncases: [\n")
        self.refused(self.conform("success", "--waivers", path), "waivers.yaml")
        path.write_text("target: sim\nversion: \"0.1\"\ncases:\n  - {id: T-2, verdict: waived}\n")
        self.refused(self.conform("success", "--waivers", path), "waivers.yaml")


class Tables(unittest.TestCase):
    def test_commands_rules_and_mutants_are_documents(self):
        commands = json.loads(run("commands", "--json").stdout)["commands"]
        rules = {r["id"] for r in json.loads(run("rules", "--json").stdout)["rules"]}
        mutants = json.loads(run("mutants", "list", "--json").stdout)["mutants"]
        self.assertIn("identify", [c["name"] for c in commands])
        self.assertGreater(len(rules), 40)
        for mutant in mutants:
            self.assertIn(mutant["rule"], rules, mutant["id"])

    def test_every_opcode_has_support_and_checks_or_what_owes_it(self):
        for command in json.loads(run("commands", "--json").stdout)["commands"]:
            with self.subTest(command["title"]):
                self.assertNotEqual(command["implemented"], "owed_by" in command)
                for profile, support in command.get("profiles", {}).items():
                    self.assertEqual(support["supported"], bool(support["checks"]), profile)
        text = run("commands").stdout.decode()
        self.assertRegex(text, r"nvm +02h +read +all +to host .* \d+: A-\d+")
        self.assertRegex(text, r"nvm +0eh +reservation_report +issue 5")

    def test_commands_without_a_folder_of_cases_say_so(self):
        result = run("commands", "--cases", "no/such")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn(b"checks are not shown: no/such is no folder", result.stdout)

    def test_statistics_have_a_row_for_every_rule(self):
        ids = [r["id"] for r in json.loads(run("rules", "--json").stdout)["rules"]]
        counted = json.loads(run("rules", "--statistics", "--runs", 200, "--json").stdout)["rules"]
        self.assertEqual([r["id"] for r in counted], ids)
        self.assertGreater(sum(r["conformance"]["exercised"] for r in counted), 100000)
        self.assertGreater(sum(r["fuzz"]["exercised"] for r in counted), 10000)
        self.assertEqual(run("rules", "--statistics", "--cases", "no/such").returncode, 2)

    def test_schema_is_json(self):
        self.assertIn("properties", json.loads(run("check", "--schema").stdout))

    def test_help_names_the_exit_codes(self):
        result = run("--help")
        self.assertEqual(result.returncode, 0)
        self.assertIn(b"Exit codes", result.stdout)


if __name__ == "__main__":
    POLYPATH = str(pathlib.Path(sys.argv.pop(1)).resolve())
    unittest.main()
