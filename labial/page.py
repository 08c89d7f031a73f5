"""What all pages that Labial writes share: one look, tables, and pictures inside the page."""

from __future__ import annotations

import base64
import html
import os
from collections.abc import Sequence
from pathlib import Path

import cv2

from labial.errors import WriteError
from labial.exports import formats
from labial.sheet import Image

_STYLE = """body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:1400px;
padding:0 1rem;color:#262626;background:#fafaf8}img{max-width:100%}table{border-collapse:collapse}
th,td{padding:.3rem .8rem;text-align:right;border-bottom:1px solid #e0e0de}
th{font-weight:600}td:last-child,th:last-child{text-align:left}"""


def shown(name: str | os.PathLike[str]) -> str:
    """Return a file's name as HTML, whatever bytes it is made of."""
    return html.escape(os.fspath(name).encode("utf-8", "replace").decode())


def write_document(target: Path, title: str, body: str, style: str = "") -> None:
    """Write one HTML file, whole or not at all.

    Parameters
    ----------
    target
        The file.
    title, body
        HTML.
    style
        CSS beyond what all pages have.

    Raises
    ------
    WriteError
    """
    text = (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>\n'
        f"<style>{_STYLE}{style}</style></head>\n<body>\n{body}\n</body></html>\n"
    )
    formats.write([text], target)


def embedded(picture: Image, kind: str = ".png") -> str:
    """Return a picture (h, w, 3) RGB as a data URI, ``.png`` without loss or ``.jpg``.

    Raises
    ------
    WriteError
        It is too large for that.
    """
    ok, data = cv2.imencode(kind, picture[..., ::-1])
    if not ok:
        raise WriteError(f"a picture of {picture.shape} cannot be put into a page")
    name = "jpeg" if kind == ".jpg" else "png"
    return f"data:image/{name};base64," + base64.b64encode(data.tobytes()).decode()


def table(head: Sequence[str], rows: Sequence[Sequence[str]], marks: Sequence[str] = ()) -> str:
    """Return a table; cells of ``rows`` are HTML, ``marks`` the CSS class of each row."""
    lines = [("th", [html.escape(cell) for cell in head]), *(("td", row) for row in rows)]
    classes = ["", *(marks or [""] * len(rows))]
    text = "\n".join(
        (f'<tr class="{mark}">' if mark else "<tr>")
        + "".join(f"<{tag}>{cell}</{tag}>" for cell in cells)
        + "</tr>"
        for (tag, cells), mark in zip(lines, classes, strict=True)
    )
    return f"<table>\n{text}\n</table>"
