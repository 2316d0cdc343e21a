"""The example of saedb: a real small model's unembedding, and six sparse autoencoders.

``saedb demo`` finds it by itself. In Python::

    saedb.load_model(con, saedb_example.MODEL, name="smollm2-135m")
    saedb.load_sae(con, saedb_example.SAES, release="smollm2-demo")
"""

from pathlib import Path

DIRECTORY = Path(__file__).parent / "smollm2-135m"
MODEL = DIRECTORY / "SmolLM2-135M-Instruct.unembedding.gguf"
SAES = DIRECTORY / "saes"
LABELS = DIRECTORY / "labels.csv"
