"""Tables on speakers and clips that were never trained on.

python -m training.evaluate motion
python -m training.evaluate mouth [CORPUS] [--sheets FOLDER] [--clips N] [--frames N]
"""

from __future__ import annotations

import argparse
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser(description="Tables on people who were never trained on.")
    what = parser.add_subparsers(dest="what", required=True)
    what.add_parser("motion", help="speech to mouth motion")
    mouth = what.add_parser("mouth", help="the picture of the mouth")
    mouth.add_argument("corpus", type=Path, nargs="?", help="default: $LABIAL_CORPUS")
    mouth.add_argument("--sheets", type=Path, help="folder for a contact sheet of each clip")
    mouth.add_argument("--clips", type=int, help="so many of the clips, spread evenly")
    mouth.add_argument("--frames", type=int, default=9, help="pairs of frames a clip")
    given = parser.parse_args()
    if given.what == "motion":
        from training import motion_report

        motion_report.report()
    else:
        from training import mouth_report

        corpus = given.corpus or mouth_report.default_corpus()
        mouth_report.report(corpus, given.sheets, given.clips, given.frames)


if __name__ == "__main__":
    main()
