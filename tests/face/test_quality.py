"""Quality of a face, frame by frame."""

import numpy as np

from labial.face.pose import Poses
from labial.face.quality import judged


def test_turned_away_loses_quality_step_by_step() -> None:
    n = 61
    yaw = np.linspace(0, 60, n)
    turn = np.radians(yaw)
    rotation = np.repeat(np.eye(3, dtype=np.float32)[None], n, 0)
    rotation[:, 0, 0] = rotation[:, 2, 2] = np.cos(turn)
    rotation[:, 0, 2], rotation[:, 2, 0] = -np.sin(turn), np.sin(turn)
    poses = Poses(np.full(n, 100, np.float32), rotation, np.zeros((n, 3), np.float32))
    mouth = np.full((n, 20, 3), 50, np.float32)
    quality, reasons = judged(mouth, np.ones(n, bool), poses, (100, 100))
    assert np.all(quality[yaw < 34] == 1)
    assert np.all(quality[yaw > 52] == 0)
    assert np.all(np.diff(quality) <= 1e-6)
    assert set(reasons[yaw > 39]) == {"turned away"}
