"""Figures as objects."""

from __future__ import annotations

import base64
import html
import json
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Iterator, Optional

import duckdb

from ._call import call
from ._connection import PathLike
from ._errors import ArgumentError
from ._results import catalogue

if TYPE_CHECKING:
    import pandas
    from duckdb import DuckDBPyConnection

#: What a figure shows itself as.
FORMATS = ("html", "png", "svg")

shown_as = "html"


def show_as(format: str) -> None:
    """Says what figures show themselves as in a notebook: ``html``, the default, which answers the mouse and takes
    1.3 MB or more in the notebook's file; ``png``, as for a notebook that is committed or read on GitHub; or ``svg``."""
    global shown_as
    if format not in FORMATS:
        raise ArgumentError(f"show_as: format: expected one of {', '.join(FORMATS)}, found {format!r}")
    shown_as = format


class Figure:
    """A figure: what is drawn, with every number of it.

    In a notebook it shows itself (:func:`saedb.plot.show_as` says as what); ``save`` writes it, and ``df`` hands over its
    data. It keeps what it was made of: changes in the database do not change it, and it outlives its connection.
    """

    def __init__(self, con: "DuckDBPyConnection", content: str, database: str, height: float) -> None:
        self._con = con
        self._content = content
        self._database = database
        self._height = height
        self._drawn: dict[str, bytes] = {}
        self._read: Optional[dict[str, Any]] = None

    @property
    def _figure(self) -> dict[str, Any]:
        if self._read is None:
            self._read = json.loads(self._content)
        return self._read

    @property
    def kind(self) -> str:
        """Which figure it is: ``manhattan``."""
        return str(self._figure["name"])

    @property
    def title(self) -> str:
        return str(self._figure["title"])

    @property
    def note(self) -> str:
        """What is drawn, and how to read it."""
        return str(self._figure.get("note", ""))

    @property
    def query(self) -> str:
        """The SQL that the numbers come from."""
        return str(self._figure.get("query", ""))

    def __repr__(self) -> str:
        return f"<saedb figure {self.kind}: {self.title}>"

    def draw(self, format: str = "html") -> bytes:
        """The figure as an HTML page that needs no network, as PNG, or as SVG."""
        if format not in FORMATS:
            raise ArgumentError(f"draw: format: expected one of {', '.join(FORMATS)}, found {format!r}")
        if format not in self._drawn:
            arguments = {"figure": self._content, "format": format, "from": self._database}
            try:
                rows = call(self._con, "saedb_draw", arguments)
            except duckdb.ConnectionException:  # it is closed, and drawing needs no database
                rows = call(catalogue(), "saedb_draw", arguments)
            self._drawn[format] = base64.b64decode(rows[0]["content"])
        return self._drawn[format]

    def save(self, path: PathLike) -> Path:
        """Writes it to a file that ends in ``.html``, ``.png`` or ``.svg``, which appears whole; returns its path."""
        whole = Path(path)
        format = whole.suffix.lower().removeprefix(".")
        if format not in FORMATS:
            raise ArgumentError(f"save: path: expected a name that ends in .html, .png or .svg, found {os.fspath(path)!r}")
        content = self.draw(format)
        handle, temporary = tempfile.mkstemp(prefix=f".{whole.name}.", dir=whole.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            mask = os.umask(0)
            os.umask(mask)
            os.chmod(temporary, 0o666 & ~mask)
            os.replace(temporary, whole)
        except BaseException:
            os.unlink(temporary)
            raise
        return whole

    def rows(self) -> list[dict[str, Any]]:
        """Everything that is drawn, a row each: the panel, the kind of mark, the series, its coordinates, and what
        hovering shows. Numbers have the seven or eight digits of a float32; ``query`` has all of them."""
        return [row for panel in self._figure["panels"] for row in marks(panel)]

    def df(self) -> "pandas.DataFrame":
        """The rows as a data frame of pandas."""
        import pandas

        return pandas.DataFrame(self.rows())

    data = df

    def _repr_html_(self) -> Optional[str]:
        return self._frame() if shown_as == "html" else None

    def _repr_png_(self) -> Optional[bytes]:
        return self.draw("png") if shown_as == "png" else None

    def _repr_svg_(self) -> Optional[str]:
        return self._inline() if shown_as == "svg" else None

    def _mime_(self) -> tuple[str, str]:
        """As marimo asks."""
        if shown_as == "html":
            return "text/html", self._frame()
        if shown_as == "svg":
            return "image/svg+xml", self._inline()
        return "image/png", "data:image/png;base64," + base64.b64encode(self.draw("png")).decode()

    def _inline(self) -> str:
        """The SVG, no wider than its column: marimo cuts off what does not fit."""
        return self.draw("svg").decode().replace("<svg ", '<svg style="max-width: 100%; height: auto" ', 1)

    def _frame(self) -> str:
        """The page in a frame of its own, which has no part in the notebook's."""
        page = html.escape(self.draw("html").decode(), quote=True)
        return (
            '<iframe sandbox="allow-scripts allow-popups allow-popups-to-escape-sandbox allow-downloads" '
            f'style="width: 100%; height: {round(self._height)}px; border: 0; resize: vertical" title="{html.escape(self.title, quote=True)}" srcdoc="{page}"></iframe>'
        )


def marks(panel: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The rows of a panel."""
    for points in panel.get("points", []):
        for i, (x, y) in enumerate(zip(points["xs"], points["ys"])):
            row = {**of(panel, "point", points), "x": x, "y": y}
            if points.get("values"):
                row[panel["scale"]["label"] if panel.get("scale") else "value"] = points["values"][i]
            if points.get("labels"):
                row["label"] = points["labels"][i]
            if points.get("urls") and points["urls"][i]:
                row["url"] = points.get("url_prefix", "") + points["urls"][i]
            yield {**row, **hovered(points, i)}
    for bars in panel.get("bars", []):
        for i, count in enumerate(bars["counts"]):
            yield {**of(panel, "bar", bars), "from": bars["edges"][i], "to": bars["edges"][i + 1], "count": count, **hovered(bars, i)}
    for line in panel.get("lines", []):
        for x, y in zip(line["xs"], line["ys"]):
            yield {**of(panel, "line", line), "x": x, "y": y}
    for band in panel.get("bands", []):
        for x, low, high in zip(band["xs"], band["low"], band["high"]):
            yield {**of(panel, "band", band), "x": x, "low": low, "high": high}
    for boxes in panel.get("boxes", []):
        for box in boxes["items"]:
            yield {**of(panel, "box", boxes), **box}


def of(panel: dict[str, Any], mark: str, series: dict[str, Any]) -> dict[str, Any]:
    row = {"panel": panel.get("title", ""), "mark": mark, "series": series.get("name", "")}
    return {**row, "frame": series["frame"]} if series.get("frame") else row


def hovered(series: dict[str, Any], i: int) -> dict[str, Any]:
    return {column["name"]: (column.get("texts") or column.get("numbers"))[i] for column in series.get("hover", [])}
