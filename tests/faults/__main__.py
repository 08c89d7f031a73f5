"""Run all faults, or some groups of them, and print them as one table.

::

    PYTHONPATH=tests python -m faults [GROUP ...]
    PYTHONPATH=tests python -m faults kills      # twenty runs killed, six interrupted
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

from faults.kills import interrupts, kills
from faults.lists import GROUPS
from faults.runs import Result, run

KILLS, INTERRUPTS = 20, 6


def faults(wanted: list[str]) -> int:
    """Print a row a fault, then a row a group; return how many did not end as they must."""
    print("| group | case | outcome | code | frames kept | samples changed | message |")
    print("|---|---|---|---|---|---|---|")
    results: dict[str, list[Result]] = {}
    for group in wanted:
        results[group] = []
        for case in GROUPS[group]():
            with tempfile.TemporaryDirectory() as folder:
                result = run(case, Path(folder))
            results[group].append(result)
            frames = f"{result.frames} of {result.of}" if result.of else ""
            changed = result.changed if result.compared else ""
            name, message = _cell(case.name), _cell(result.message or "; ".join(result.wrong))
            print(
                f"| {group} | {name} | {result.outcome} | {result.code} | {frames} | {changed} "
                f"| {message} |",
                flush=True,
            )
            if result.wrong:
                print(f"{group}, {case.name}: {result.wrong}", file=sys.stderr)
    print("\n| group | cases | done | refused | frames kept | compared | samples changed | wrong |")
    print("|---|---|---|---|---|---|---|---|")
    everything = [result for group in results.values() for result in group]
    for group, found in {**results, "all": everything}.items():
        done, refused = (sum(r.outcome == which for r in found) for which in ("done", "refused"))
        print(
            f"| {group} | {len(found)} | {done} | {refused} "
            f"| {sum(r.frames for r in found)} of {sum(r.of for r in found)} "
            f"| {sum(r.compared for r in found)} | {sum(r.changed for r in found)} "
            f"| {sum(bool(r.wrong) for r in found)} |"
        )
    return sum(bool(result.wrong) for result in everything)


def killed() -> int:
    """Print a row a killed run; return how many went wrong."""
    failed = 0
    print("| run | ended after | of | left then | frames taken over | then |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for way, made in (("kill -9", kills), ("signal", interrupts)):
            (folder / way).mkdir()
            for kill in made(folder / way, KILLS if made is kills else INTERRUPTS):
                failed += bool(kill.wrong)
                then = "identical" if made is kills else "nothing left"
                left = ", ".join(n.replace(".labial", "") for n in kill.left) or "nothing"
                print(
                    f"| {way} {kill.seed}, {kill.ending} | {kill.seconds:.1f} s | {kill.of:.1f} s "
                    f"| {left} | {kill.resumed} | {'; '.join(kill.wrong) or then} |",
                    flush=True,
                )
    return failed


def _cell(text: str) -> str:
    plain = os.fsencode(text).decode("utf-8", "replace")
    return " ".join(plain.split()).replace("|", "\\|")


def main(wanted: list[str]) -> int:
    """Run what is wanted; everything but the kills by default."""
    begin = time.monotonic()
    groups = [name for name in wanted or GROUPS if name != "kills"]
    failed = faults(groups) if groups else 0
    if "kills" in wanted:
        failed += killed()
    print(f"{failed} wrong in {time.monotonic() - begin:.0f} s", file=sys.stderr)
    return int(failed > 0)


sys.exit(main(sys.argv[1:]))
