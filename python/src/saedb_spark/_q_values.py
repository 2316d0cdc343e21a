"""q-values of an SAE, from all its p-values: internal/statistics's adjustment.

With N p-values in ascending order, q of the i-th is the least N p_j / j of those from the i-th on (Benjamini and Hochberg, 1995);
among equal p-values the last one's place decides. NumPy sorts and runs the minimum, at ten times the speed of DuckDB's windows.
The results are the program's, bit for bit."""

from __future__ import annotations

import duckdb
import numpy as np
import pyarrow as pa

from . import _sql


def of_scores(p_values: pa.Table) -> pa.Table:
    """Rows (family, log10_p, log10_q, log10_q_all), one for each different (family, log10_p) of an SAE's scores: q-values within
    the family, and over all. It takes some 50 bytes a p-value."""
    log10_p = p_values.column("log10_p").to_numpy()
    over_all, q_all = adjusted(log10_p)
    if not len(log10_p):
        return pa.schema([("family", pa.string()), ("log10_p", pa.float32()), ("log10_q", pa.float32()), ("log10_q_all", pa.float32())]).empty_table()
    family = p_values.column("family").unify_dictionaries().combine_chunks()
    parts = []
    for number, name in enumerate(family.dictionary.to_pylist()):
        p, q = adjusted(log10_p[family.indices.to_numpy() == number])
        parts.append(pa.table({"family": pa.array([name] * len(p)), "log10_p": p, "log10_q": q, "log10_q_all": q_all[np.searchsorted(over_all, p)]}))
    return pa.concat_tables(parts)


def of_features(p_values: pa.Table) -> pa.Table:
    """Rows (statistic, p, q) for each different p-value of skewness and kurtosis, on both sides, over the features of an SAE."""
    parts = []
    for statistic in _sql.SIGNIFICANT:
        given = p_values.column(f"{statistic}_p").drop_null().to_numpy()
        p, place = different(given)
        q = np.minimum(np.minimum.accumulate((p * len(given) / place)[::-1])[::-1], 1.0)
        parts.append(pa.table({"statistic": pa.array([statistic] * len(p), pa.string()), "p": p, "q": q}))
    return pa.concat_tables(parts)


def different(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The different ones of some values, in ascending order, and the last place of each among all."""
    ordered = np.sort(values)
    place = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], np.ones(min(1, len(ordered)), bool))) + 1
    return ordered[place - 1], place


def adjusted(log10_p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The different ones of p-values, in ascending order, and their q-values, both as logarithms, which are DuckDB's."""
    p, place = different(log10_p)
    with duckdb.connect() as con:
        con.register("different", pa.table({"log10_p": p, "place": place}))
        bounds = con.execute("SELECT log10_p + log10(CAST($n AS BIGINT)) - log10(place) AS bound FROM different", {"n": max(1, len(log10_p))}).to_arrow_table()
    least = np.minimum.accumulate(bounds.column("bound").to_numpy()[::-1])[::-1]
    return p, np.minimum(least, 0).astype(np.float32)
