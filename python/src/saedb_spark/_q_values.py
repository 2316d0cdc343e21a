"""q-values of an SAE, from all its p-values."""

from __future__ import annotations

import duckdb
import numpy as np
import pyarrow as pa


def adjusted(log10_p: np.ndarray) -> pa.Table:
    """Rows (log10_p, log10_q), one for each different one of the p-values, in ascending order.

    It is internal/statistics's adjustment (Benjamini and Hochberg, 1995): with N p-values in ascending order, q of the i-th is
    the least N p_j / j of those from the i-th on, here as logarithms; among equal p-values the last one's place decides.
    NumPy sorts and runs the minimum, at ten times the speed of DuckDB's windows. The logarithms are DuckDB's, so that
    the result is the program's, bit for bit. It takes some 40 bytes a p-value."""
    ordered = np.sort(log10_p)
    place = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], np.ones(min(1, len(ordered)), bool))) + 1
    different = pa.table({"log10_p": ordered[place - 1], "place": place})
    with duckdb.connect() as con:
        con.register("different", different)
        bounds = con.execute("SELECT log10_p + log10(CAST($n AS BIGINT)) - log10(place) AS bound FROM different", {"n": max(1, len(ordered))}).to_arrow_table()
    least = np.minimum.accumulate(bounds.column("bound").to_numpy()[::-1])[::-1]
    return pa.table({"log10_p": different.column("log10_p"), "log10_q": np.minimum(least, 0).astype(np.float32)})
