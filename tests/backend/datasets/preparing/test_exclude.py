"""Rows with a finding are left out; of duplicates the first one stays."""

from pathlib import Path

import pytest

from backend.datasets.preparing.filtering import FINDINGS
from tests.backend.datasets.preparing.made import rows_of, run, talk, version


def test_rows_with_a_finding_are_left_out(folder: Path) -> None:
    findings = pytest.importorskip(FINDINGS, reason="versions are not examined here yet")
    base = version(folder, [talk(f"Q{n % 6}", "A") for n in range(12)])
    found = [
        findings.Found("email", findings.np.array([0, 3])),
        findings.Found("exact_duplicates", findings.np.arange(6, 12)),
    ]
    findings.write(base / "findings.arrow", found)
    for names, left in (
        (["email"], {1, 2, *range(4, 12)}),
        (["exact_duplicates"], set(range(6))),
        (["exact_duplicates", "email"], {1, 2, 4, 5}),
        (["phone"], set(range(12))),
    ):
        steps = [{"kind": "shuffle"}, {"kind": "exclude", "findings": names}]
        _, out = run(folder, base, steps)
        assert {row["line"] - 1 for row in rows_of(out)} == left
