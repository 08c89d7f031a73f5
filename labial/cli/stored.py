"""The command for what Labial keeps in its cache folder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from tyro.conf import Positional, arg

from labial.errors import WeightsError
from labial.progress import Progress


@dataclass(frozen=True)
class Weights:
    """List, fetch or verify the files that Labial keeps in its cache folder."""

    action: Positional[Literal["list", "fetch", "verify"]]
    """list: what there is. fetch: bring it here now, for work without a network later.
    verify: hash what is here."""
    names: Annotated[Positional[tuple[str, ...]], arg(metavar="[NAME...]")] = ()
    """Only these. Default: everything; for fetch, the models, without voices and samples."""

    def run(self) -> None:
        """Do the action on each row and print one line a row."""
        from labial import weights

        rows = [weights.lookup(name) for name in self.names]
        if not rows:
            rows = [*weights.WEIGHTS]
            if self.action != "fetch":
                rows += [*weights.VOICES, *weights.SAMPLES]
        if self.action == "list":
            print(f"cache folder: {weights.folder()}")
            for row in rows:
                print(f"{row.name:20} {row.bytes / 1e6:6.2f} MB  {row.purpose}")
                print(f"{'':20} licence: {row.licence}; {row.source}")
        elif self.action == "fetch":
            for row in rows:
                with Progress() as hook:
                    file = weights.path(row.name, progress=hook)
                print(f"{row.name:20} {file}")
        else:
            states = {row.name: weights.state(row.name) for row in rows}
            for name, state in states.items():
                print(f"{name:20} {state}")
            damaged = [name for name, state in states.items() if state == "damaged"]
            if damaged:
                again = " ".join(damaged)
                raise WeightsError(f"damaged: {again}; run: labial weights fetch {again}")
