"""The walk through REST in the documentation does what it says."""

import re
import shutil
import subprocess
import threading
from pathlib import Path

import pytest
from serving import running

PAGE = Path(__file__).parents[2] / "docs" / "api.md"


@pytest.mark.skipif(
    not all(map(shutil.which, ("bash", "curl", "jq"))), reason="bash, curl or jq is missing"
)
def test_the_commands_of_the_page(tmp_path: Path) -> None:
    (tmp_path / "film.mp4").write_bytes(b"video 3")
    (tmp_path / "speech.wav").write_bytes(b"speech 3")
    blocks = re.findall(r"<!-- walk -->\n```sh\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)
    assert len(blocks) == 5
    with running(tmp_path / "home") as studio:

        def work() -> None:
            while not studio.store.count_active("local"):
                if over.wait(0.05):
                    return
            studio.work({"output.mp4": b"dubbed"}, share=0.5)

        over = threading.Event()
        worker = threading.Thread(target=work)
        worker.start()
        script = f"set -euo pipefail\nSERVER={studio.url}\n" + "".join(blocks)
        done = subprocess.run(
            ["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=120
        )
        over.set()
        worker.join()
    assert done.returncode == 0, done.stderr + done.stdout
    assert '"state": "done"' in done.stdout
    assert "upload-offset: 0" in done.stdout.lower()
    assert (tmp_path / "dubbed.mp4").read_bytes() == b"dubbed"
    assert '"state":"done"' in (tmp_path / "events.txt").read_text()
