"""What every feature of a sparse autoencoder (SAE) writes to a language model's vocabulary, in SQL.

From files, or from the Hugging Face Hub by name::

    import saedb

    con = saedb.connect("features.db")  # a DuckDB connection, with saedb in it
    saedb.load_model(con, "openai-community/gpt2", name="gpt2-small")
    saedb.load_sae(con, release="gpt2-small-res-jb", layer=8)  # saedb.releases() lists 170 of them
    saedb.load_sets(con)  # token sets: names, words, parts of speech, ...
    saedb.compute(con)
    con.sql("SELECT feature, skewness, top_tokens FROM features ORDER BY skewness DESC LIMIT 10").df()
    saedb.plot.manhattan(con, layer=8)  # shows itself in a notebook; .save("m.png"), .df()

From memory, ``saedb.add_model(con, model)`` and ``saedb.add_sae(con, sae)`` take a HookedTransformer, a model of
``transformers``, an SAE of SAELens, tensors and arrays.

Ask: views ``features``, ``layer_8``, ``enrichment``, ``feature_tokens`` and others (``FROM functions`` lists the functions).
Connections are DuckDB's own, and so is everything that they return: ``.df()`` is pandas, ``.pl()`` polars,
``.arrow()`` Arrow, ``.fetchnumpy()`` NumPy.

Features with features: ``compute_links``, ``compute_neighbours``, ``match``. More: ``load_directions``, ``load_explanations``, ``load_lens``, ``unload``, ``check``, ``export``, ``import_results``, ``report``,
``neuronpedia``, ``saedb.plot``. Errors are ``saedb.Error`` and its kinds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._call import Note
from ._connection import connect, extension_path, load
from ._errors import ArgumentError, Error, HubError, InternalError, NotFoundError
from ._loads import (
    Explained,
    Loaded,
    TokenSets,
    Unloaded,
    load_directions,
    load_explanations,
    load_lens,
    load_model,
    load_sae,
    load_sets,
    unload,
)
from ._model import add_model
from ._pairs import ComputedPair, Matched, compute_links, compute_neighbours, match
from ._progress import show_progress
from ._results import (
    Checked,
    Computed,
    Exported,
    Imported,
    check,
    compute,
    export,
    import_results,
    neuronpedia,
    releases,
    report,
)
from ._sae import add_sae
from . import plot
from .plot import Figure

__all__ = [
    "ArgumentError",
    "Checked",
    "Computed",
    "ComputedPair",
    "Error",
    "Explained",
    "Exported",
    "Figure",
    "HubError",
    "Imported",
    "InternalError",
    "Loaded",
    "Matched",
    "NotFoundError",
    "Note",
    "TokenSets",
    "Unloaded",
    "add_model",
    "add_sae",
    "check",
    "compute",
    "compute_links",
    "compute_neighbours",
    "connect",
    "export",
    "extension_path",
    "import_results",
    "load",
    "load_directions",
    "load_explanations",
    "load_lens",
    "load_model",
    "load_sae",
    "load_sets",
    "match",
    "neuronpedia",
    "plot",
    "releases",
    "report",
    "show_progress",
    "unload",
]

if TYPE_CHECKING:
    __version__: str


def __getattr__(name: str) -> Any:
    if name == "__version__":  # looked up when asked for: it takes as long as all other imports
        from importlib.metadata import version

        return version("saedb")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
