"""All faults, by group."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from faults import asked, damage, desk, footage, scripts, stills, timing
from faults.case import Case

GROUPS: dict[str, Callable[[], Iterable[Case]]] = {
    "pixel formats": footage.pixel_formats,
    "colours": footage.colours,
    "codecs": footage.codecs,
    "outputs": footage.outputs,
    "sizes": footage.sizes,
    "people": footage.people,
    "rates": timing.rates,
    "starts": timing.starts,
    "joined": timing.joined,
    "streams": timing.streams,
    "damage": damage.files,
    "no film": damage.no_films,
    "speech": damage.speeches,
    "segments": scripts.segments,
    "cues": scripts.cues,
    "targets": asked.targets,
    "options": asked.options,
    "names": asked.names,
    "lengths": desk.lengths,
    "languages": desk.languages,
    "repairs": desk.repairs,
    "voices": desk.voices,
    "pictures": stills.sequences,
    "to pictures": stills.picture_targets,
    "people, rates": stills.people_and_rates,
}
