"""The package around the Lab: examples, types, the pytest fixture, the text of the documents."""

import importlib.metadata
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

import polypath as pp

EXAMPLES = ROOT / "python/examples"
TYPED = ("python/polypath", "python/examples", "python/bench", "tests/python")


def run_example(name: str, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, EXAMPLES / name, *arguments], capture_output=True, text=True, timeout=120, cwd=cwd
    )


def test_the_version_is_one() -> None:
    assert importlib.metadata.version("polypath") == pp.__version__
    assert f'version = "{pp.__version__}"' in (ROOT / "pyproject.toml").read_text()


def test_the_first_script(tmp_path: Path) -> None:
    script = (EXAMPLES / "first.py").read_text()
    assert len(script.splitlines()) == 15
    assert script in (ROOT / "docs/python.md").read_text()
    done = run_example("first.py", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "b'hello, multipath' errno 0" in done.stdout and "\npass " in done.stdout


def test_attaching_under_io(tmp_path: Path) -> None:
    done = run_example("attach_under_io.py", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    rows = [line.split() for line in done.stdout.splitlines()]
    detached = next(row for row in rows if row[:3] == ["detached", "from", "nvme1"])
    assert detached[5:8] == ["0", "0", "50"]  # everything goes through nvme2


def test_fuzzing_one_controller(tmp_path: Path) -> None:
    clean = run_example("fuzz_one_controller.py", "--programs", "100", cwd=tmp_path)
    assert clean.returncode == 0, clean.stdout + clean.stderr
    assert "no rule broken" in clean.stdout and "namespace_already_attached" in clean.stdout
    found = run_example("fuzz_one_controller.py", "--fault", "detached-ns-answers", cwd=tmp_path)
    assert found.returncode == 1 and "INV-NS-10" in found.stdout
    again = pp.Lab.from_scenario(tmp_path / "finding.yaml")
    again.run()
    assert any(finding.rule == "INV-NS-10" for finding in again.check().findings)


def test_comparing_policies(tmp_path: Path) -> None:
    done = run_example("compare_policies.py", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    rows = [line.split() for line in done.stdout.splitlines()[1:]]
    assert rows[0][2:] == ["1000", "0", "0", "0", "0"]
    assert rows[2][2:] == ["250", "250", "250", "250", "0"]


def test_types_of_package_and_examples() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", ROOT / "build/mypy", *TYPED],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout


def test_the_stub_knows_every_name_of_the_module() -> None:
    from polypath import _core

    stub = (ROOT / "python/polypath/_core.pyi").read_text()
    names = [name for name in dir(_core) if not name.startswith("_")]
    names += [name for name in dir(_core.Lab) if not name.startswith("_")]
    assert len(names) > 30
    for name in names:
        assert f"def {name}(" in stub or f"class {name}" in stub, name


def test_everything_public_says_what_it_does() -> None:
    for name in pp.__all__:
        thing = getattr(pp, name)
        assert thing.__doc__, name
        for member, value in vars(thing).items():
            if not member.startswith("_") and (callable(value) or isinstance(value, property)):
                assert value.__doc__, f"{name}.{member}"


def test_the_fixture_judges_at_the_end_of_a_test(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest

        def use(lab):
            sub = lab.subsystem()
            c0, c1 = sub.controller(), sub.controller()
            ns = sub.namespace(size="1MiB")
            c0.admin("identify", cdw10=1)
            c0.create_queue_pair(1)
            c1.detach(ns, [c0])
            c0.io(1, "read", ns, lba=0, blocks=1)

        def test_clean(lab):
            use(lab)

        @pytest.mark.lab(faults=["detached-ns-answers"], seed=7)
        def test_broken(lab):
            assert lab.seed == 7
            use(lab)

        @pytest.mark.lab(faults=["detached-ns-answers"], judge=False)
        def test_expected(lab):
            use(lab)
            assert not lab.check()

        def test_unused(lab):
            pass
        """
    )
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    result.assert_outcomes(passed=4, errors=1)  # an error of the fixture, after the test itself
    result.stdout.fnmatch_lines(["*INV-NS-10*", "*the program:*", "*steps:*"])
