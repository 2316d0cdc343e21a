"""Figures, drawn by the same code as those of the program ``saedb plot``, without any plotting library.

::

    figure = saedb.plot.manhattan(con, layer=29, sets=["all_digits", "boy_names"])
    figure                      # shows itself in Jupyter, marimo and VS Code
    figure.save("digits.png")   # or .html, .svg
    figure.df()                 # the data

``sae`` is words for SAEs (a name, ``release/name``, ``layer_29`` or a glob pattern), ``layer`` those at a layer, all by
default. ``lens`` is the name of a lens, for what the features come to write through it (``saedb.compute(con, lens=...)``).
``sql`` is a query of your own in place of the figure's, with the columns that each function names, those in
brackets where you like. It runs in a connection of its own, which sees neither temporary tables nor data frames.
"""

from __future__ import annotations

from typing import Any, Iterable, Mapping, Optional

from duckdb import DuckDBPyConnection

from ._call import call, target
from ._figure import Figure, show_as
from ._results import one_of

__all__ = [
    "Figure",
    "feature",
    "kurtosis",
    "layer_box",
    "layer_scatter",
    "layers",
    "manhattan",
    "running_sum",
    "sets",
    "show_as",
    "skew_kurtosis",
    "skewness",
]


def skewness(
    con: DuckDBPyConnection,
    *,
    sae: Optional[str] = None,
    layer: Optional[int] = None,
    lens: Optional[str] = None,
    sql: Optional[str] = None,
    bins: Optional[int] = None,
    database: Optional[str] = None,
) -> Figure:
    """A histogram of the features' skewness, a panel an SAE, in so many ``bins``.

    Columns of ``sql``: ``skewness [sae, layer]``.
    """
    return figure(con, "skewness", {"sae": sae, "layer": layer, "lens": lens, "sql": sql, "bins": bins}, database)


def kurtosis(
    con: DuckDBPyConnection,
    *,
    sae: Optional[str] = None,
    layer: Optional[int] = None,
    lens: Optional[str] = None,
    sql: Optional[str] = None,
    bins: Optional[int] = None,
    database: Optional[str] = None,
) -> Figure:
    """A histogram of the features' kurtosis on log10, a panel an SAE, in so many ``bins``.

    Columns of ``sql``: ``kurtosis [sae, layer]``.
    """
    return figure(con, "kurtosis", {"sae": sae, "layer": layer, "lens": lens, "sql": sql, "bins": bins}, database)


def skew_kurtosis(
    con: DuckDBPyConnection,
    *,
    sae: Optional[str] = None,
    layer: Optional[int] = None,
    lens: Optional[str] = None,
    sql: Optional[str] = None,
    database: Optional[str] = None,
) -> Figure:
    """Skewness against kurtosis, a point a feature, coloured by standard deviation.

    Columns of ``sql``: ``skewness, kurtosis [std, feature, top_tokens, neuronpedia_url, sae, layer]``.
    """
    return figure(con, "skew-kurtosis", {"sae": sae, "layer": layer, "lens": lens, "sql": sql}, database)


def manhattan(
    con: DuckDBPyConnection,
    *,
    sets: Iterable[str] = (),
    sae: Optional[str] = None,
    layer: Optional[int] = None,
    lens: Optional[str] = None,
    score: Optional[str] = None,
    unsigned: bool = False,
    label_threshold: Optional[float] = None,
    top_n: Optional[int] = None,
    sql: Optional[str] = None,
    database: Optional[str] = None,
) -> Figure:
    """Enrichment by feature, a panel for each of the token ``sets``, or for those with the strongest beyond chance.

    What is promoted is above 0, what is suppressed below. ``score`` is ``q`` (-log10 q, the default), ``effect``, or
    unsigned ``es``, drawn as -ln(1 - ES), or ``p``; ``unsigned`` is -ln(1 - ES), as SAELens draws it. At most ``top_n`` points a
    panel are labelled (5 by default), or all whose score, either way, is greater than ``label_threshold``.

    Columns of ``sql``: ``feature, token_set``, and what the score is of: ``q_value`` and ``direction``, ``effect``, ``es`` or ``p_value``
    ``[direction, q_value, size, top_tokens, bottom_tokens, neuronpedia_url]``.
    """
    return figure(con, "manhattan", {
        "set": list([sets] if isinstance(sets, str) else sets) or None, "sae": sae, "layer": layer, "lens": lens, "score": score, "unsigned": unsigned,
        "label_threshold": label_threshold, "top_n": top_n, "sql": sql,
    }, database)  # fmt: skip


def sets(
    con: DuckDBPyConnection,
    set_a: str,
    set_b: str,
    *,
    sae: Optional[str] = None,
    layer: Optional[int] = None,
    lens: Optional[str] = None,
    score: Optional[str] = None,
    unsigned: bool = False,
    label_threshold: Optional[float] = None,
    top_n: Optional[int] = None,
    sql: Optional[str] = None,
    database: Optional[str] = None,
) -> Figure:
    """The signed effects of two token sets against each other; features whose effects differ are labelled.

    ``score`` is ``effect`` (the default) or one of those of :func:`manhattan`. At most ``top_n`` points are labelled (12 by
    default), or all whose scores differ by more than ``label_threshold``. Columns of ``sql``: as of :func:`manhattan`.
    """
    return figure(con, "sets", {
        "set": [set_a, set_b], "sae": sae, "layer": layer, "lens": lens, "score": score, "unsigned": unsigned, "label_threshold": label_threshold, "top_n": top_n,
        "sql": sql,
    }, database)  # fmt: skip


def feature(
    con: DuckDBPyConnection,
    feature: Optional[int] = None,
    *,
    token_set: Optional[str] = None,
    sae: Optional[str] = None,
    layer: Optional[int] = None,
    lens: Optional[str] = None,
    top_k: Optional[int] = None,
    bins: Optional[int] = None,
    sql: Optional[str] = None,
    database: Optional[str] = None,
) -> Figure:
    """A feature's logit weights, by membership of a token set; without a feature, those of the set's ``top_k`` features.

    Columns of ``sql``: ``logit_weight [text, member]``.
    """
    return figure(con, "feature", {
        "feature": feature, "set": None if token_set is None else [token_set], "sae": sae, "layer": layer, "lens": lens, "top_k": top_k, "bins": bins, "sql": sql,
    }, database, {"set": "token_set"})  # fmt: skip


def layers(
    con: DuckDBPyConnection,
    *,
    sae: Optional[str] = None,
    layer: Optional[int] = None,
    lens: Optional[str] = None,
    statistic: Optional[str] = None,
    sql: Optional[str] = None,
    database: Optional[str] = None,
) -> Figure:
    """Percentiles of ``std``, ``skewness`` and ``kurtosis`` by layer, or of one ``statistic`` of them.

    Columns of ``sql``: ``layer``, and ``std``, ``skewness`` or ``kurtosis``.
    """
    return figure(con, "layers", {"sae": sae, "layer": layer, "lens": lens, "statistic": statistic, "sql": sql}, database)


def layer_box(
    con: DuckDBPyConnection,
    *,
    sae: Optional[str] = None,
    layer: Optional[int] = None,
    lens: Optional[str] = None,
    statistic: Optional[str] = None,
    sql: Optional[str] = None,
    database: Optional[str] = None,
) -> Figure:
    """Box plots of ``std``, ``skewness`` and ``kurtosis`` by layer, or of one ``statistic`` of them.

    Columns of ``sql``: ``layer``, and ``std``, ``skewness`` or ``kurtosis`` ``[feature, top_tokens, neuronpedia_url]``.
    """
    return figure(con, "layer-box", {"sae": sae, "layer": layer, "lens": lens, "statistic": statistic, "sql": sql}, database)


def layer_scatter(
    con: DuckDBPyConnection,
    *,
    sae: Optional[str] = None,
    layer: Optional[int] = None,
    lens: Optional[str] = None,
    sql: Optional[str] = None,
    database: Optional[str] = None,
) -> Figure:
    """Skewness against kurtosis, animated over layers; in a picture, the layers side by side.

    Columns of ``sql``: ``layer, skewness, kurtosis [std, feature, top_tokens, neuronpedia_url]``.
    """
    return figure(con, "layer-scatter", {"sae": sae, "layer": layer, "lens": lens, "sql": sql}, database)


def running_sum(
    con: DuckDBPyConnection,
    feature: Optional[int] = None,
    token_set: Optional[str] = None,
    *,
    sae: Optional[str] = None,
    layer: Optional[int] = None,
    lens: Optional[str] = None,
    sql: Optional[str] = None,
    database: Optional[str] = None,
) -> Figure:
    """The enrichment curve of a token set in a feature's ranking, with its leading edge.

    Columns of ``sql``, instead of a feature and a set: ``rank, member [text, logit_weight]``.
    """
    return figure(con, "running-sum", {
        "feature": feature, "set": None if token_set is None else [token_set], "sae": sae, "layer": layer, "lens": lens, "sql": sql,
    }, database, {"set": "token_set"})  # fmt: skip


def figure(con: DuckDBPyConnection, kind: str, arguments: Mapping[str, Any], database: Optional[str], renamed: Mapping[str, str] = {}) -> Figure:
    """The figure of a kind."""
    one_of(arguments.get("sae"), arguments.get("layer"), "plot." + kind.replace("-", "_"))
    row = call(con, "saedb_plot", {"figure": kind, **arguments, "database": target(con, database)}, renamed=renamed)[0]
    return Figure(con, row["figure"], row["database"], row["height"])
