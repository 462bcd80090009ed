"""The fixture `lab`: a fresh Lab for each test, judged at the test's end."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ._lab import Lab


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "lab(**arguments): arguments of the Lab that the `lab` fixture makes")


@pytest.fixture
def lab(request: pytest.FixtureRequest) -> Iterator[Lab]:
    """A Lab that runs to its rest at the end of the test and is judged: a broken rule fails the test.

    `@pytest.mark.lab(seed=7, latitude="random")` gives it arguments. A test that has judged a violation itself, and
    expects it, turns this off with `@pytest.mark.lab(judge=False)`.
    """
    marker = request.node.get_closest_marker("lab")
    arguments = dict(marker.kwargs) if marker else {}
    judge = arguments.pop("judge", True)
    made = Lab(**arguments)
    yield made
    if not judge or not made._core.started:
        return
    made.run()
    verdict = made.check()
    if not verdict.ok:
        pytest.fail(f"{verdict}\n\nthe program:\n{made.to_scenario()}", pytrace=False)
