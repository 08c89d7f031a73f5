"""Run all faults and print them as one table."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from faults.lists import GROUPS
from faults.runs import run


def main(wanted: list[str]) -> int:
    failed = 0
    begin = time.monotonic()
    print("| group | case | outcome | code | frames kept | samples changed | message |")
    print("|---|---|---|---|---|---|---|")
    for group, cases in GROUPS.items():
        if wanted and group not in wanted:
            continue
        for case in cases():
            with tempfile.TemporaryDirectory() as folder:
                result = run(case, Path(folder))
            frames = f"{result.frames} of {result.of}" if result.of else ""
            message = result.message.replace("\n", "; ").replace("|", "\\|")
            print(
                f"| {group} | {case.name} | {result.outcome} | {result.code} | {frames} "
                f"| {result.changed if result.of else ''} | {message} |", flush=True,
            )  # fmt: skip
            for wrong in result.wrong:
                failed += 1
                print(f"WRONG {case.name}: {wrong}", file=sys.stderr)
            print(f"{result.seconds:.1f}", end=" ", file=sys.stderr)
    print(f"\n{failed} wrong in {time.monotonic() - begin:.0f} s", file=sys.stderr)
    return failed > 0


sys.exit(main(sys.argv[1:]))
