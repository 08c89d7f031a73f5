import errno

import pytest

from labial.errors import WriteError
from labial.media.spool import enough_room


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EFBIG, errno.EDQUOT])
def test_a_full_disk_is_one_line_that_says_what_to_do(code):
    with pytest.raises(WriteError, match="make room, or set TMPDIR") as caught, enough_room():
        raise OSError(code, "full")
    assert "\n" not in str(caught.value)


def test_other_errors_stay_what_they_are():
    with pytest.raises(OSError, match="broken") as caught, enough_room():
        raise OSError(errno.EIO, "broken")
    assert caught.value.errno == errno.EIO
