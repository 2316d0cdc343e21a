"""What every feature of a sparse autoencoder writes to a language model's vocabulary, in SQL.

The package carries saedb's extension for DuckDB, and hands it what is in memory::

    import saedb

    con = saedb.connect("features.db")
    saedb.add_model(con, model)  # a HookedTransformer, or of transformers with tokenizer=
    saedb.add_sae(con, sae)  # of SAELens, or an array W_dec
    saedb.compute(con)
    con.sql("SELECT feature, skewness, top_tokens FROM features ORDER BY skewness DESC LIMIT 10").df()

Connections are DuckDB's own, and so is everything that they return: ``.df()`` is pandas,
``.pl()`` polars, ``.arrow()`` Arrow, ``.fetchnumpy()`` NumPy.
"""

from typing import Any

from ._connection import Computed, Loaded, TokenSets, Unloaded, compute, connect, extension_path, load, load_model, load_sae, load_sets, unload
from ._model import add_model
from ._sae import add_sae

__all__ = [
    "Computed",
    "Loaded",
    "TokenSets",
    "Unloaded",
    "add_model",
    "add_sae",
    "compute",
    "connect",
    "extension_path",
    "load",
    "load_model",
    "load_sae",
    "load_sets",
    "unload",
]

__version__: str


def __getattr__(name: str) -> Any:
    if name == "__version__":  # looked up when asked for: it takes as long as all other imports
        from importlib.metadata import version

        return version("saedb")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
