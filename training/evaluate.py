"""Tables on speakers and clips that were never trained on.

python -m training.evaluate motion
"""

from __future__ import annotations

import sys

if __name__ == "__main__":
    if sys.argv[1:] != ["motion"]:
        sys.exit(__doc__)
    from training.motion_report import report

    report()
