"""The directory of results, in the layout of docs/export.md.

Workers make files of Parquet, and Spark writes them below ``_saedb``, by its own committer, so that each is there
once however often a task ran. When all of them are there, they are moved to where readers look, and the
SAE's row in ``saes`` comes last: an SAE is done when it has one, for the same content, model,
tokens, sets and version.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple, Optional
from urllib.parse import quote

HIVE_NULL = "__HIVE_DEFAULT_PARTITION__"

#: Ends the name of an SAE in the name of a file. No name has it, since it is escaped.
END = "~"


#: Tables of random directions through lenses.
THROUGH_CHANCE = ("baseline_statistics_through", "baseline_enrichment_through")

#: The last bytes of a file of Parquet.
PARQUET_END = "PAR1"


def escaped(name: str) -> str:
    return quote(name, safe="").replace("~", "%7E")


#: Tables with rows about two SAEs, or about an SAE and the neurons of an MLP.
OF_PAIRS = ("links", "neighbours", "mlp_links")


class Pair(NamedTuple):
    """What the name of a file in ``pairs`` says; names of SAEs, of which one may be that of a reader of neurons, are escaped."""

    kind: str  #: outgoing, incoming or neighbours
    sae: str
    other: str
    content: str  #: stands for the weights of ``sae``
    other_content: str
    top: int

    @property
    def begin(self) -> str:
        """How the names of all files of these SAEs and this kind begin."""
        return f"{self.kind}{END}{self.sae}{END}{self.other}{END}"

    @property
    def name(self) -> str:
        return f"{self.begin}{self.content}{END}{self.other_content}{END}{self.top}.parquet"

    @staticmethod
    def of_name(name: str) -> Pair:
        kind, sae, other, content, other_content, top = name.removesuffix(".parquet").split(END)
        return Pair(kind, sae, other, content, other_content, int(top))


class Output:
    """A directory on whatever file system Spark reaches it by."""

    def __init__(self, spark: Any, root: str) -> None:
        jvm = spark.sparkContext._jvm
        self._path = jvm.org.apache.hadoop.fs.Path
        given = self._path(root)
        self._files = given.getFileSystem(spark.sparkContext._jsc.hadoopConfiguration())
        self.root = str(self._files.makeQualified(given).toString()).rstrip("/")

    def at(self, *parts: str) -> str:
        return "/".join([self.root, *parts])

    def exists(self, *parts: str) -> bool:
        return bool(self._files.exists(self._path(self.at(*parts))))

    def names(self, *parts: str) -> list[str]:
        """What is in a directory, or nothing where there is none."""
        if not self.exists(*parts):
            return []
        return sorted(str(status.getPath().getName()) for status in self._files.listStatus(self._path(self.at(*parts))))

    def delete(self, *parts: str) -> None:
        self._files.delete(self._path(self.at(*parts)), True)

    def move(self, source: tuple[str, ...], to: tuple[str, ...]) -> None:
        target = self._path(self.at(*to))
        self._files.mkdirs(target.getParent())
        if self._files.exists(target):
            self._files.delete(target, False)
        if not self._files.rename(self._path(self.at(*source)), target):
            raise OSError(f"{self.at(*source)} could not be moved to {self.at(*to)}")

    def put(self, local: Path, *parts: str) -> None:
        """Copies a local file here, under its name only when all of it is there."""
        unfinished = ("_saedb", local.name)
        self._files.mkdirs(self._path(self.at("_saedb")))
        self._files.copyFromLocalFile(False, True, self._path(local.as_uri()), self._path(self.at(*unfinished)))
        self.move(unfinished, parts)

    def get(self, to: Path, *parts: str) -> None:
        """Copies a directory, or a file, to a local one."""
        self._files.copyToLocalFile(False, self._path(self.at(*parts)), self._path(to.as_uri()), True)

    # The files of SAEs.

    def write(self, files: Any, *parts: str) -> None:
        """Adds rows (table, file), each as a file of its own, to a directory for each table.

        Spark has no writer of bytes as they are but that of text, which puts a line's end after each row: here it is the
        word that every file of Parquet ends with."""
        from pyspark.sql import functions as F

        without_end = F.col("file").substr(F.lit(1), F.length("file") - len(PARQUET_END)).cast("string")
        files.select("table", without_end.alias("file")).write.mode("append").partitionBy("table").option("maxRecordsPerFile", 1).option(
            "lineSep", PARQUET_END
        ).option("compression", "none").text(self.at(*parts))

    def files(self, *parts: str) -> list[str]:
        """The names of the files that Spark wrote into a directory, in the order of its tasks."""
        return [name for name in self.names(*parts) if not name.startswith(("_", "."))]

    @staticmethod
    def done_name(release: str, sae: str, key: str, sets_key: str) -> str:
        return f"{escaped(release)}{END}{escaped(sae)}{END}{key}{END}{sets_key or 'none'}.parquet"

    def done(self, release: str, sae: str, key: str, sets_key: str, among: list[str]) -> bool:
        """Whether an SAE is done. Where no sets are asked for, it may have any."""
        if sets_key:
            return self.done_name(release, sae, key, sets_key) in among
        return any(name.startswith(f"{escaped(release)}{END}{escaped(sae)}{END}{key}{END}") for name in among)

    def publish(self, work: str, release: str, layer: Optional[int], sae: str, row: Path, name: str, content: str, model: str, chance: str) -> None:
        """Moves what Spark wrote for an SAE to its place, instead of what was there, and then its row. Its pairs with other SAEs go
        where they are of other content. ``chance`` has its own baselines, where it is held against such."""
        for old in self.names("saes"):
            if old.startswith(f"{escaped(release)}{END}{escaped(sae)}{END}"):
                self.delete("saes", old)
        for table in ("features", "enrichment", "input_enrichment"):
            for directory in self.names(table, f"release={escaped(release)}"):
                for old in self.names(table, f"release={escaped(release)}", directory):
                    if old.startswith(f"{escaped(sae)}{END}"):
                        self.delete(table, f"release={escaped(release)}", directory, old)
            for number, part in enumerate(self.files("_saedb", work, f"table={table}")):
                leaf = f"layer={HIVE_NULL if layer is None else layer}"
                to = table, f"release={escaped(release)}", leaf, f"{escaped(sae)}{END}{number:05d}.parquet"
                self.move(("_saedb", work, f"table={table}", part), to)
        for table in ("baseline_statistics", "baseline_enrichment", "input_baseline_enrichment"):
            self.publish_chance(table, f"{END}{escaped(sae)}.parquet", model, chance)
        for old in self.names("saes_through"):
            if old.startswith(f"{escaped(release)}{END}{escaped(sae)}{END}") and old.split(END)[3] != content:
                self.withdraw_through(release, sae, old)
        for pair in map(Pair.of_name, self.names("pairs")):
            if any(escaped(sae) == one and content != of for one, of in ((pair.sae, pair.content), (pair.other, pair.other_content))):
                self.withdraw(pair)
        self.put(row, "saes", name)
        self.delete("_saedb", work)

    def publish_chance(self, table: str, end: str, model: str, chance: str) -> None:
        """Puts an SAE's own baselines in place of those that are there, by the end of their file's name; ``chance`` has them, if there are any."""
        for old in self.names(table):
            if old.endswith(end):
                self.delete(table, old)
        work = chance.rsplit("/", 1)[-1]
        for part in self.files("_saedb", work, f"table={table}") if chance else ():
            self.move(("_saedb", work, f"table={table}", part), (table, f"{escaped(model)}{end}"))

    # The files of SAEs through a lens, a name of whose row is release, SAE, lens, what stands for the SAE's weights, and keys.

    def withdraw_through(self, release: str, sae: str, mark: str) -> None:
        """Takes out what is there of an SAE through a lens, its row in ``saes_through`` first."""
        self.delete("saes_through", mark)
        for table in ("features_through", "enrichment_through"):
            for directory in self.names(table, f"release={escaped(release)}"):
                for old in self.names(table, f"release={escaped(release)}", directory):
                    if old.startswith(f"{escaped(sae)}{END}{mark.split(END)[2]}{END}"):
                        self.delete(table, f"release={escaped(release)}", directory, old)
        for table in THROUGH_CHANCE:
            self.publish_chance(table, f"{END}{escaped(sae)}{END}{mark.split(END)[2]}.parquet", "", "")

    def publish_through(self, work: str, release: str, layer: Optional[int], sae: str, row: Path, mark: str, model: str, chance: str) -> None:
        """Moves what Spark wrote for an SAE through a lens to its place, instead of what was there, and then its row."""
        lens = mark.split(END)[2]
        for old in self.names("saes_through"):
            if old.startswith(f"{escaped(release)}{END}{escaped(sae)}{END}{lens}{END}"):
                self.withdraw_through(release, sae, old)
        for table in ("features_through", "enrichment_through"):
            for number, part in enumerate(self.files("_saedb", work, f"table={table}")):
                leaf = f"layer={HIVE_NULL if layer is None else layer}"
                self.move(("_saedb", work, f"table={table}", part), (table, f"release={escaped(release)}", leaf, f"{escaped(sae)}{END}{lens}{END}{number:05d}.parquet"))
        for table in THROUGH_CHANCE:
            self.publish_chance(table, f"{END}{escaped(sae)}{END}{lens}.parquet", model, chance)
        self.put(row, "saes_through", mark)
        self.delete("_saedb", work)

    # The files of pairs of SAEs.

    def withdraw(self, pair: Pair) -> None:
        """Takes out what is there of two SAEs and a kind, its row in ``pairs`` first."""
        for table in ("pairs", *OF_PAIRS):
            for old in self.names(table):
                if old.startswith(pair.begin):
                    self.delete(table, old)

    def publish_pair(self, work: str, table: str, pair: Pair, row: Path) -> None:
        """Moves what Spark wrote of two SAEs to its place, instead of what was there, and then the row in ``pairs``."""
        self.withdraw(pair)
        for number, part in enumerate(self.files("_saedb", work, f"table={table}")):
            self.move(("_saedb", work, f"table={table}", part), (table, f"{pair.begin}{number:05d}.parquet"))
        self.put(row, "pairs", pair.name)
        self.delete("_saedb", work)

    def publish_mlp(self, row: Path, model: str, layer: int, content: str) -> None:
        """Puts the row of an MLP in ``mlps``, where that of the same content is not there; links to another content of it go first."""
        name = f"{escaped(model)}{END}{layer}{END}{content}.parquet"
        if self.exists("mlps", name):
            return
        readers = [escaped(f"{model}#mlp_{matrix}.{layer}") for matrix in ("in", "gate")]
        for pair in map(Pair.of_name, self.names("pairs")):
            if pair.sae in readers and pair.content != content or pair.other in readers and pair.other_content != content:
                self.withdraw(pair)
        for old in self.names("mlps"):
            if old.startswith(f"{escaped(model)}{END}{layer}{END}"):
                self.delete("mlps", old)
        self.put(row, "mlps", name)
