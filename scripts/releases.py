#!/usr/bin/env python3
"""Makes loader/hub/catalogue/releases.txt from SAELens's registry of published SAEs.

    pip download --no-deps sae-lens==6.54.12 && pip install pyyaml
    scripts/releases.py sae_lens-6.54.12-py3-none-any.whl > loader/hub/catalogue/releases.txt

SAELens is MIT-licensed; its registry is sae_lens/pretrained_saes.yaml. Errors of
that registry which are certain are corrected, see CORRECTIONS; each correction
fails when the registry no longer has its error. The form of the output is told in
its first lines.

Hook point, layer and width are derived from names, as the functions of
sae_lens/loading/pretrained_sae_loaders.py do, or left empty where these read them
from a file. The hook point is the one that the decoder writes to: a transcoder's
output.
"""

import re
import sys
import zipfile
from collections import Counter

import yaml

HEADER = """\
# Published SAEs, from the registry of SAELens {version}, Copyright (c) 2023 Joseph Bloom (LICENSE.SAELens); see scripts/releases.py.
# A release is a line of its name and lines "key value"; then, indented by a tab, its SAEs:
#   id, l0, Neuronpedia source, norm_scaling_factor, layer, width, path, hook
# separated by tabs, empty ones at the end left out. An empty layer is the first number in the id, an
# empty width that of width_16k in the id (16k is 2^14), an empty path or hook the release's, where
# {{id}} and {{layer}} stand for the SAE's; - is none. The Neuronpedia source follows the model's name there.
"""


def nested_release(data):
    """The block of the whole release is nested inside its last entry."""
    entry = data["gpt2-small-res_scefr-ajt"]["saes"][2]
    assert entry["repo_id"] == data["gpt2-small-res_scefr-ajt"]["repo_id"]
    assert [s["path"] for s in entry["saes"]] == ["2-res_scefr-ajt", "6-res_scefr-ajt", "10-res_scefr-ajt"]
    for key in ("conversion_func", "links", "model", "repo_id", "saes"):
        del entry[key]


def wrong_source_of_layer_2(data):
    """An SAE of layer 2 and width 16k has the Neuronpedia id of one of layer 20 and width 131k."""
    entry = find(data, "gemma-scope-9b-pt-res", "layer_2/width_16k/average_l0_8")
    assert entry.pop("neuronpedia") == "gemma-2-9b/20-gemmascope-res-131k__l0-10"


def base_model_of_instruct_saes(data):
    """SAEs of the instruction-tuned model are listed under the base model; the canonical ones are not."""
    assert data["gemma-scope-9b-it-res"]["model"] == "gemma-2-9b"
    assert data["gemma-scope-9b-it-res-canonical"]["model"] == "gemma-2-9b-it"
    data["gemma-scope-9b-it-res"]["model"] = "gemma-2-9b-it"


def attention_source_of_embedding(data):
    """The SAE e-res-sm has the Neuronpedia id e-att-sm; its siblings have N-res-sm, and there is no such attention SAE."""
    entry = find(data, "pythia-70m-deduped-res-sm", "blocks.0.hook_resid_pre")
    assert entry["path"] == "e-res-sm" and entry["neuronpedia"] == "pythia-70m-deduped/e-att-sm"
    assert all("e-att" not in s["path"] for s in data["pythia-70m-deduped-att-sm"]["saes"])
    entry["neuronpedia"] = "pythia-70m-deduped/e-res-sm"


CORRECTIONS = [nested_release, wrong_source_of_layer_2, base_model_of_instruct_saes, attention_source_of_embedding]

# Not an error: these entries have the number of a layer for a path. The decoders of
# the features of layer N lie in W_dec_N.safetensors.
LAYER_FILES = {"mntss_clt_layer_transcoder": "W_dec_{}.safetensors"}

# Not an error but a trap: in 25 releases the registry's model is not the one in the
# Neuronpedia ids (meta-llama/Llama-3.1-8B, llama3.1-8b). Both are kept; links are
# made of the Neuronpedia id alone.

WIDTHS = {"4k": 12, "8k": 13, "16k": 14, "32k": 15, "65k": 16, "131k": 17, "262k": 18, "524k": 19, "1m": 20, "128k": 17}
LLAMA_SCOPE = {"R": "hook_resid_post", "A": "hook_attn_out", "M": "hook_mlp_out"}
HOOK = re.compile(r"blocks\.(\d+)\.(?:attn\.)?(hook_(?:resid_pre|resid_mid|resid_post|attn_out|mlp_out|z))")


def find(data, release, sae_id):
    return next(s for s in data[release]["saes"] if s["id"] == sae_id)


def number(pattern, text):
    match = re.search(pattern, text)
    return int(match.group(1)) if match else None


def power(pattern, text):
    match = re.search(pattern, text)
    return 1 << WIDTHS[match.group(1)] if match and match.group(1) in WIDTHS else None

# The release and Neuronpedia number the residual stream after the last block as one more layer.
LAYERS = {("gpt2-small-res-jb", "blocks.11.hook_resid_post"): 12}


def block(layer, hook):
    return None if layer is None else f"blocks.{layer}.{hook}"


def native(repo, entry, path):
    match = HOOK.search(entry["id"]) or HOOK.search(path)
    hook = match.group(0) if match else None
    width = number(r"hook_\w+?_(\d{3,})", path) or power(r"v5_(\d+k)", path) or power(r"-w-(\d+k)", repo)
    return hook, int(match.group(1)) if match else None, width


def gemma_2(repo, entry, path):
    width = power(r"width_(\d+[km])", path)
    layer = number(r"layer_(\d+)", path)
    if layer is None:
        return "hook_embed", None, width
    # As in SAELens, the first kind that the repository's name has.
    hook = next(h for kind, h in (("res", "hook_resid_post"), ("mlp", "hook_mlp_out"), ("att", "attn.hook_z")) if kind in repo)
    return block(layer, hook), layer, width


def gemma_2_transcoder(repo, entry, path):
    layer = number(r"layer_(\d+)", path)
    return block(layer, "hook_mlp_out"), layer, power(r"width_(\d+[km])", path)


def gemma_3(repo, entry, path):
    layer = number(r"layer_(\d+)", path)
    kinds = (("resid_post", "hook_resid_post"), ("attn_out", "attn.hook_z"), ("mlp_out", "hook_mlp_out"),
             ("transcoder", "hook_mlp_out"), ("clt", "hook_mlp_out"))
    return block(layer, next(h for kind, h in kinds if kind in path)), layer, power(r"width_(\d+[km])", path)


def llama_scope(repo, entry, path):
    layer, kind, factor = re.search(r"-L(\d+)([RAM])-(\d+)x$", path).groups()
    return block(layer, LLAMA_SCOPE[kind]), int(layer), 4096 * int(factor)


def llama_scope_r1_distill(repo, entry, path):
    layer, kind = re.search(r"L(\d+)([RAM])$", path).groups()
    return block(layer, LLAMA_SCOPE[kind]), int(layer), power(r"-(\d+k)$", entry.get("neuronpedia", ""))


def dictionary_learning_1(repo, entry, path):
    layer = number(r"layer_(\d+)", path)
    width = number(r"2pow(\d+)", repo + path)
    if width is not None:
        return block(layer, "hook_resid_post"), layer, 1 << width
    return block(layer, "hook_resid_post"), layer, power(r"-res-(\d+k)", entry.get("neuronpedia", ""))


def connor_rob_hook_z(repo, entry, path):
    layer = number(r"_L(\d+)_", path)
    return block(layer, "attn.hook_z"), layer, number(r"_ds(\d+)_", path)


def goodfire(repo, entry, path):
    layer = number(r"-l(\d+)\.", path)
    return block(layer, "hook_resid_post"), layer, 65536


def deepseek_r1(repo, entry, path):
    layer = number(r"l(\d+)\.", path)
    return block(layer, "hook_resid_post"), layer, 65536


def qwen_scope(repo, entry, path):
    layer = number(r"layer(\d+)\.sae\.pt", path)
    return block(layer, "hook_resid_post"), layer, 1024 * number(r"-W(\d+)K-", repo)


def mwhanna_transcoder(repo, entry, path):
    layer = number(r"layer_(\d+)", path)
    return block(layer, "hook_mlp_out"), layer, None


def mntss_clt_layer_transcoder(repo, entry, path):
    return None, int(entry["path"]), None  # the hook point is in a file


def temporal(repo, entry, path):
    layer = number(r"layer_(\d+)", path)
    return block(layer, "hook_resid_post"), layer, None


DERIVE = {None: native, **{f.__name__: f for f in (
    gemma_2, gemma_2_transcoder, gemma_3, llama_scope, llama_scope_r1_distill, dictionary_learning_1, connor_rob_hook_z,
    goodfire, deepseek_r1, qwen_scope, mwhanna_transcoder, mntss_clt_layer_transcoder, temporal)}}


def most_common(values):
    return Counter(values).most_common(1)[0][0]


def template(text, layer):
    """text with the first number that is the layer replaced."""
    return None if text is None else re.sub(rf"(?<=\.){layer}(?=\.)", "{layer}", text, count=1)


def check_source(release, entry, layer):
    """Fails on a Neuronpedia source of another layer, as the two that are corrected above were found.

    A source may be one above the layer: hook_resid_post of the last block counts as the next layer there.
    """
    source = number(r"/(\d+)-", entry.get("neuronpedia") or "")
    if source is not None and layer is not None and source not in (layer, layer + 1):
        sys.exit(f"{release} {entry['id']}: layer {layer}, but Neuronpedia {entry['neuronpedia']}")


def write(out, name, release):
    rows = []
    for entry in release["saes"]:
        unknown = set(entry) - {"id", "path", "l0", "neuronpedia", "norm_scaling_factor", "variance_explained"}
        assert not unknown, (name, unknown)
        path = LAYER_FILES.get(release["conversion_func"], "{}").format(entry["path"])
        hook, layer, width = DERIVE[release["conversion_func"]](release["repo_id"], entry, path)
        check_source(name, entry, layer)
        rows.append((entry, path, hook, layer, width))
    prefix = most_common(p[: -len(e["id"])] if p.endswith(e["id"]) else "" for e, p, *_ in rows)
    hook = most_common(template(h, layer) for _, _, h, layer, _ in rows)
    sources = [e["neuronpedia"].split("/")[0] for e, *_ in rows if e.get("neuronpedia")]
    lines = [("repo", release["repo_id"]), ("model", release["model"]), ("format", release["conversion_func"] or "saelens"),
             ("path", prefix + "{id}"), ("hook", hook), ("neuronpedia", most_common(sources) if sources else None)]
    out.write(f"{name}\n")
    for key, value in lines:
        if value and (key, value) != ("path", "{id}"):
            out.write(f"{key} {value}\n")
    for entry, path, own_hook, layer, width in rows:
        source = entry.get("neuronpedia") or ""
        if source:
            model, source = source.split("/", 1)
            assert model == most_common(sources), (name, entry)
        fields = [
            entry["id"], plain(entry.get("l0")), source, entry.get("norm_scaling_factor"),
            unless(number(r"(\d+)", entry["id"]), LAYERS.get((name, entry["id"]), layer)), unless(power(r"width_(\d+[km])", entry["id"]), width),
            "" if path == prefix + entry["id"] else path,
            "" if template(own_hook, layer) == hook else own_hook or "-",
        ]
        text = "\t".join("" if f is None else str(f) for f in fields).rstrip("\t")
        assert "\n" not in text and len(text.split("\t")) <= 8
        out.write(f"\t{text}\n")


def unless(implied, value):
    """What to write of a value that the id implies or not."""
    return None if value == implied else "-" if value is None else value


def plain(l0):
    """l0 without a needless .0."""
    return int(l0) if l0 is not None and l0 == int(l0) else l0


def main():
    wheel = sys.argv[1]
    version = re.search(r"sae_lens-([0-9.]+)-", wheel).group(1)
    with zipfile.ZipFile(wheel) as files:
        data = yaml.load(files.read("sae_lens/pretrained_saes.yaml"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    for correct in CORRECTIONS:
        correct(data)
    sys.stdout.write(HEADER.format(version=version))
    for name in sorted(data):
        write(sys.stdout, name, data[name])


if __name__ == "__main__":
    main()
