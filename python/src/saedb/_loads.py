"""What comes into a database, and goes out of it again."""

from __future__ import annotations

import os
from typing import Any, Iterable, NamedTuple, Optional, Union

from duckdb import DuckDBPyConnection

from ._call import call, target
from ._connection import PathLike


class Loaded(NamedTuple):
    """What a load did."""

    name: str  #: of the model or SAE, as SQL calls it
    rows: int  #: tokens of a model, features of an SAE, or directions
    bytes: int  #: of the files or tensors
    seconds: float
    unchanged: bool  #: it was there already, with the same content
    note: Optional[str]  #: what a person should know of it


class Explained(NamedTuple):
    """What a load of explanations brought of one of Neuronpedia's sources."""

    neuronpedia_id: str
    explanations: int
    features: int  #: with activations
    saes: int  #: loaded ones that have this id


class TokenSets(NamedTuple):
    """Token sets that were loaded for a model."""

    model: str
    added: int
    replaced: int
    unchanged: int
    note: Optional[str] = None  #: members that are no token of the model, and sets left out, counted and named


class Unloaded(NamedTuple):
    """What was taken out of a database."""

    kind: str
    name: str
    with_: str  #: what went with it, in words


def loaded(rows: list[dict[str, Any]]) -> list[Loaded]:
    return [Loaded(row["name"], row["rows"], row["bytes"], row["seconds"], row["unchanged"], row.get("note")) for row in rows]


def load_model(
    con: DuckDBPyConnection,
    path: PathLike,
    *,
    name: Optional[str] = None,
    processing: Optional[str] = None,
    unembedding: Optional[str] = None,
    norm: Optional[str] = None,
    norm_kind: Optional[str] = None,
    norm_offset: Optional[float] = None,
    tokenizer: Optional[PathLike] = None,
    soft_cap: Optional[float] = None,
    embedding: bool = False,
    attention: Optional[Union[str, int]] = None,
    mlp: Optional[Union[str, int]] = None,
    replace: bool = False,
    database: Optional[str] = None,
) -> Loaded:
    """Loads a model's unembedding and vocabulary.

    ``path`` is a Hugging Face directory or a GGUF file, or the name of a model on the Hugging Face
    Hub, ``"openai-community/gpt2"``, with ``@revision`` behind it where you like, of which no more
    than is needed is downloaded, into the cache that ``huggingface_hub`` has. A path that
    exists comes first. Nothing is downloaded in a connection with ``enable_external_access = false``.

    ``name`` is what SQL calls it, the file's or directory's own by default. ``processing`` of the
    unembedding is ``transformerlens`` (the default), ``fold-only`` or ``none``. A model of an architecture
    that is not known is read by the names of its tensors ``unembedding`` and ``norm`` (or ``none``), the
    ``norm_kind`` (``rms`` or ``layer``), a ``norm_offset`` that is added to the norm's weight, and a
    ``soft_cap`` of the logits. ``tokenizer`` is the file or directory of another one than the model's own.
    ``embedding`` loads the token embedding too, also of a model that is loaded without it: functions take it by
    ``"MODEL#embedding"``. ``attention`` loads the heads of layers too, ``"all"`` or such as ``"0-3,9"``, also of a model
    that is loaded without them: ``through_head`` and ``query_key`` take directions through them. ``mlp`` loads the input
    weights of the MLP neurons of layers likewise: functions take them by ``"MODEL#mlp_in.LAYER"``.

    ``replace`` lets it take the place of a different model of that name. ``database`` is where to, the
    current database of ``con`` by default.
    """
    rows = call(con, "saedb_load_model", {
        "path": os.fspath(path), "name": name, "processing": processing, "unembedding": unembedding, "norm": norm, "norm_kind": norm_kind,
        "norm_offset": norm_offset, "tokenizer": text(tokenizer), "soft_cap": soft_cap, "embedding": embedding,
        "attention": None if attention is None else str(attention), "mlp": None if mlp is None else str(mlp), "replace": replace,
        "database": target(con, database),
    })  # fmt: skip
    return loaded(rows)[0]


def load_sae(
    con: DuckDBPyConnection,
    path: Optional[PathLike] = None,
    *,
    release: Optional[str] = None,
    layer: Optional[int] = None,
    id: Optional[str] = None,
    name: Optional[str] = None,
    model: Optional[str] = None,
    neuronpedia_id: Optional[str] = None,
    decoder: Optional[str] = None,
    hook: Optional[str] = None,
    encoder: bool = False,
    in_place: bool = False,
    replace: bool = False,
    copy: bool = False,
    database: Optional[str] = None,
) -> list[Loaded]:
    """Loads SAEs: those of a path, of a repository on the Hugging Face Hub, or of a published release.

    ``path`` is an SAE's directory or file, a directory above several, or ``"org/name/path"`` on the
    Hub. Without a path, ``release`` is a published one, as :func:`releases` lists them; ``layer`` or ``id``
    choose among its SAEs. With a path, ``release`` is what they belong to, ``release/name`` in SQL.

    The names of SAEs are unique in a database: those of their directories, or ``name``, where there
    is one. The same SAE under a second name is an error, unless ``copy``. ``model`` names the model
    that they write to: by default the only one loaded, or the one that their configuration names.
    ``decoder`` is the scale of the decoder: ``as-stored`` (the default), ``unit-norm`` or ``saelens``. ``hook`` is
    the hook point of the one SAE there is, and ``neuronpedia_id`` its ``model/source`` on Neuronpedia, in place of
    what its files say. ``encoder`` loads the encoder too, also of an SAE that is loaded without it: ``encoder_directions``
    has it, and it takes as much disk again. ``in_place`` leaves the weights in their files, which are read there from
    then on, so that the database takes results alone; without it, an SAE that was loaded so is copied. ``replace`` and ``database`` are as of :func:`load_model`.
    """
    arguments: dict[str, Any] = {
        "release": release, "name": name, "model": model, "neuronpedia_id": neuronpedia_id, "decoder": decoder, "hook": hook, "encoder": encoder,
        "in_place": in_place, "replace": replace, "copy": copy, "database": target(con, database),
    }  # fmt: skip
    if path is not None:
        if layer is not None or id is not None:
            raise TypeError("load_sae: layer and id choose from a published release, and go with release alone")
        return loaded(call(con, "saedb_load_sae", {"path": os.fspath(path), **arguments}))
    if release is None:
        raise TypeError("load_sae: expected a path, or release with the name of a published one, which saedb.releases() lists")
    return loaded(call(con, "saedb_load_release", {**arguments, "id": id, "layer": layer}))


def load_sets(
    con: DuckDBPyConnection,
    *,
    families: Iterable[str] = (),
    file: Union[PathLike, Iterable[PathLike], None] = None,
    name: Optional[str] = None,
    regex: Optional[str] = None,
    sql: Optional[str] = None,
    multi_token: Optional[str] = None,
    model: Optional[str] = None,
    replace: bool = False,
    database: Optional[str] = None,
) -> list[TokenSets]:
    """Loads token sets: the built-in families by default, files of sets, or one set.

    ``families`` are some of ``regex``, ``letters``, ``names``, ``words`` and ``parts of speech``. ``file`` is one file or
    several: a word list (``.txt``), GMT (``.gmt``), JSON (``.json``: name to ids, tokens or words), CSV (``.csv``: columns
    ``set`` and ``token`` or ``token_id``), or patterns (``.regex``: name, tab, pattern). One set has a ``name`` and either
    a ``regex``, which raw tokens match at their start, or a query ``sql`` that gives token ids.

    ``model`` is the one that they are for, every model loaded by default. Words count that are one token
    (``multi_token="single"``). ``replace`` lets sets take the place of different ones of their names. Rows of the
    table ``user_token_sets`` are taken in, too.
    """
    files = [] if file is None else [file] if isinstance(file, (str, os.PathLike)) else list(file)
    rows = call(con, "saedb_load_sets", {
        "family": list(families) or None, "file": [os.fspath(one) for one in files] or None, "name": name, "regex": regex, "sql": sql,
        "multi_token": multi_token, "model": model, "replace": replace, "database": target(con, database),
    })  # fmt: skip
    return [TokenSets(row["model"], row["added"], row["replaced"], row["unchanged"], row.get("note")) for row in rows]


def load_directions(
    con: DuckDBPyConnection,
    path: Optional[PathLike] = None,
    *,
    sql: Optional[str] = None,
    neurons: bool = False,
    heads: bool = False,
    tensor: Optional[str] = None,
    transposed: bool = False,
    hook: Optional[str] = None,
    layer: Optional[int] = None,
    name: Optional[str] = None,
    model: Optional[str] = None,
    release: Optional[str] = None,
    decoder: Optional[str] = None,
    replace: bool = False,
    copy: bool = False,
    database: Optional[str] = None,
) -> list[Loaded]:
    """Loads directions that are no SAE's: MLP neurons, probes, steering vectors.

    ``path`` is a file (``.npy``, ``.npz``, ``.safetensors``, ``.pt``) with a matrix ``[n, d_model]``, or ``[d_model, n]`` with
    ``transposed``, or a vector ``[d_model]``; ``tensor`` names it where there are several. Or it is a model: then they are
    its MLPs' output weights, a neuron a row, of every layer or of ``layer``; ``neurons`` takes those of the loaded
    model, from the files that it was loaded from. ``heads`` takes the singular directions of what its attention heads
    write, or those of the model at ``path``. ``sql`` is a query that gives a direction a row, in the
    column ``w_dec``, and needs a ``name``. What is in memory goes in by :func:`add_sae`.

    ``hook`` is the hook point that they write to, or ``layer`` the block after which they are in the residual stream.
    The rest is as of :func:`load_sae`.
    """
    return loaded(call(con, "saedb_load_directions", {
        "path": text(path), "sql": sql, "neurons": neurons, "heads": heads, "tensor": tensor, "transposed": transposed, "hook": hook, "layer": layer,
        "name": name, "model": model, "release": release, "decoder": decoder, "replace": replace, "copy": copy, "database": target(con, database),
    }))  # fmt: skip


def load_lens(
    con: DuckDBPyConnection,
    path: PathLike,
    *,
    name: Optional[str] = None,
    model: Optional[str] = None,
    transposed: bool = False,
    replace: bool = False,
    database: Optional[str] = None,
) -> Loaded:
    """Loads a lens: matrices that lead from behind each block of a model to behind its last.

    ``path`` is a Jacobian lens (``.pt``), the directory of a tuned lens (``params.pt`` and ``config.json``), a file with a
    matrix for each layer (``.safetensors``, ``.npz``, ``.npy``, ``.pt``), or ``org/name/path`` on the Hugging Face Hub. ``model`` names the
    loaded model that it is for, also where it was fitted on another. ``transposed`` says of matrices by layer that rows are
    multiplied by them. ``replace`` replaces another lens of that name.
    """
    return loaded(call(con, "saedb_load_lens", {
        "path": os.fspath(path), "name": name, "model": model, "transposed": transposed, "replace": replace, "database": target(con, database),
    }))[0]  # fmt: skip


def load_explanations(con: DuckDBPyConnection, *files: PathLike, replace: bool = False, database: Optional[str] = None) -> list[Explained]:
    """Loads Neuronpedia's explanations of features, from files of its bulk export.

    A file has a JSON object a line, plain or compressed with gzip: explanations, or features, of which the highest
    activation and the density are kept. They go to the SAEs whose ``neuronpedia_id`` they name, loaded before or
    after, in the views ``explanations`` and ``neuronpedia_features``. ``replace`` drops files that were loaded before, with the
    same features by the same explainer.
    """
    rows = call(con, "saedb_load_explanations", {"files": [os.fspath(file) for file in files] or None, "replace": replace, "database": target(con, database)})
    return [Explained(row["neuronpedia_id"], row["explanations"], row["features"], row["saes"]) for row in rows]


def unload(
    con: DuckDBPyConnection,
    kind: str,
    *names: str,
    model: Optional[str] = None,
    families: Iterable[str] = (),
    cascade: bool = False,
    database: Optional[str] = None,
) -> list[Unloaded]:
    """Takes out what was loaded, all of it or nothing, with what was computed of it.

    ``kind`` is ``sae``, ``model``, ``sets``, ``directions`` or ``explanations``. ``names`` are names
    or glob patterns; of SAEs and directions also ``layer_29``. Token sets may be of a ``model`` and
    of ``families``. A model's SAEs go with it only by ``cascade``. ``saedb compact`` of the program gives the space
    back, which what is loaded next uses again.
    """
    rows = call(con, "saedb_unload", {
        "kind": kind, "names": list(names) or None, "model": model, "family": list(families) or None, "cascade": cascade,
        "database": target(con, database),
    })  # fmt: skip
    return [Unloaded(row["kind"], row["name"], row.get("with", "")) for row in rows]


def text(path: Optional[PathLike]) -> Optional[str]:
    return None if path is None else os.fspath(path)
