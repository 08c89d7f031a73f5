from synth import make_clip


def test_frames_find_their_track() -> None:
    seen = make_clip()
    for index, shot, row in ((0, 0, 0), (24, 0, 24), (25, 1, 0), (49, 1, 24)):
        track, found = seen.track_of(index)
        assert track is seen.tracks[shot] and found == row
    assert seen.seconds == 2.0
