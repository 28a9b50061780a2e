"""The page on governance names every instrument, and only tests that exist."""

from __future__ import annotations

import re

from society.instruments import INSTRUMENTS

TESTS = re.compile(r"`(test_\w+\.py)::(test_\w+)`")


def test_every_instrument_has_a_row(root):
    page = (root / "docs" / "governance.md").read_text(encoding="utf-8")
    rows = [line.split("|")[2] for line in page.splitlines() if line.startswith("| ") and "::" in line]
    named = set(re.findall(r"`(\w+)`", " ".join(rows)))
    assert named == set(INSTRUMENTS.kinds)


def test_every_test_that_is_named_is_there(root):
    page = (root / "docs" / "governance.md").read_text(encoding="utf-8")
    named = TESTS.findall(page)
    assert len(named) > 30
    for file, test in named:
        assert f"def {test}(" in (root / "tests" / file).read_text(encoding="utf-8"), (file, test)
