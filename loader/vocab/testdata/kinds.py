"""Makes small tokenizers of every kind, and what Python's tokenizers and sentencepiece say of their tokens.

    python kinds.py OUT

OUT/NAME is a directory with the tokenizer's file, OUT/NAME/expected.json lists [id, token, text, special]: text is what
decoding adds when the token comes after an anchor, that of special tokens is the token itself.

Needs tokenizers, sentencepiece and transformers; made with tokenizers 0.23.3, sentencepiece 0.2.3, transformers 5.24.0.
"""
import io
import json
import sys
from pathlib import Path

import sentencepiece
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

out = Path(sys.argv[1])
corpus = ["the singing of the cats, isn't it?", "an emoji 😀 and café in the house.", "the end of the thing  there"] * 4
bytes_ = [f"<0x{b:02X}>" for b in range(256)]


def texts(tokenizer, anchor):
    """[id, token, text, special] of every token; anchor is the id of a token of plain letters."""
    special = {id for id, t in tokenizer.get_added_tokens_decoder().items() if t.special}
    before = tokenizer.decode([anchor], skip_special_tokens=False)
    rows = []
    for token, id in sorted(tokenizer.get_vocab().items(), key=lambda item: item[1]):
        both = tokenizer.decode([anchor, id], skip_special_tokens=False)
        assert both.startswith(before), (token, both, before)
        rows.append([id, token, token if id in special else both[len(before):], id in special])
    return rows


def keep(name, tokenizer, anchor):
    (out / name).mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(out / name / "tokenizer.json"), pretty=False)
    expect(name, texts(tokenizer, tokenizer.token_to_id(anchor)))


def expect(name, rows):
    lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    (out / name / "expected.json").write_text(f"[\n{lines}\n]\n")


def kinds():
    t = Tokenizer(models.Unigram([("<unk>", 0.0), ("a", -1.0), ("▁the", -2.0), ("▁", -2.0), ("▁▁", -3.0), ("é", -3.0), ("ing", -3.0), (",", -3.0)], unk_id=0))
    t.decoder = decoders.Metaspace()
    t.add_special_tokens(["<unk>", "</s>"])
    t.add_tokens([AddedToken("▁▁▁", normalized=False), "new word"])
    keep("unigram-metaspace", t, "a")

    t = Tokenizer(models.Unigram([("<unk>", 0.0), *((b, -9.0) for b in bytes_), ("a", -1.0), ("▁the", -2.0), ("▁", -2.0), ("▁\\n", -2.0)], unk_id=0, byte_fallback=True))
    t.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    t.add_special_tokens(["<unk>", "<s>"])
    keep("unigram-bytes", t, "a")

    words = {"[PAD]": 0, "[UNK]": 1, "the": 2, "##ing": 3, "##'": 4, "'": 5, "n't": 6, ".": 7, "#": 8, "##": 9, "é": 10, "##é": 11, "a": 12, "'s": 13, "do": 14, "?": 15}
    for name, cleanup in [("wordpiece", True), ("wordpiece-as-is", False)]:
        t = Tokenizer(models.WordPiece(words, unk_token="[UNK]"))
        t.decoder = decoders.WordPiece(cleanup=cleanup)
        t.add_special_tokens(["[PAD]", "[UNK]"])
        keep(name, t, "a")

    t = Tokenizer(models.WordLevel({"the": 0, "a": 1, "<unk>": 2, "b c": 3, " ": 4}, unk_token="<unk>"))
    t.add_special_tokens(["<unk>"])
    t.decoder = decoders.Fuse()
    keep("wordlevel-fuse", t, "a")

    t = Tokenizer(models.BPE({"a": 0, "b</w>": 1, "ab</w>": 2, "é": 3, "</w>": 4}, []))
    t.decoder = decoders.BPEDecoder()
    keep("bpe-suffix", t, "a")

    t = Tokenizer(models.BPE())
    t.pre_tokenizer, t.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    t.train_from_iterator(corpus, trainers.BpeTrainer(vocab_size=300, special_tokens=["<|endoftext|>"], initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    t.add_tokens(["  ", "new word"])
    keep("bpe-bytes", t, "a")
    files("vocab-json", t)

    t = Tokenizer(models.BPE({"a": 0, "_b": 1, "c-d": 2, "xx": 3, "x": 4, "_": 5}, []))
    t.decoder = decoders.Sequence([decoders.Replace("_", " "), decoders.Replace(Regex("x+"), "y"), decoders.Strip("-", 1, 1)])
    keep("bpe-replace", t, "a")


def files(name, byte_level):
    """vocab.json and merges.txt as old repositories have them: added tokens in files of their own."""
    (out / name).mkdir(parents=True, exist_ok=True)
    byte_level.model.save(str(out / name))
    base = byte_level.get_vocab_size(with_added_tokens=False)
    more = {"<|im_end|>": base, "  two": base + 1}
    (out / name / "added_tokens.json").write_text(json.dumps(more))
    (out / name / "special_tokens_map.json").write_text(json.dumps({"eos_token": "<|endoftext|>", "additional_special_tokens": [{"content": "<|im_end|>", "lstrip": False}]}))
    (out / name / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "GPT2Tokenizer", "model_max_length": 8}))
    t = Tokenizer(models.BPE.from_file(str(out / name / "vocab.json"), str(out / name / "merges.txt")))
    t.decoder = decoders.ByteLevel()
    t.add_special_tokens(["<|endoftext|>", "<|im_end|>"])
    t.add_tokens(["  two"])
    expect(name, texts(t, t.token_to_id("a")))


def vocab_txt():
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "##ing", ".", "'", "é", "a", "##'"]
    (out / "vocab-txt").mkdir(parents=True, exist_ok=True)
    (out / "vocab-txt" / "vocab.txt").write_text("\n".join(words) + "\n")
    t = Tokenizer(models.WordPiece.from_file(str(out / "vocab-txt" / "vocab.txt")))
    t.decoder = decoders.WordPiece()
    t.add_special_tokens(words[:5])
    expect("vocab-txt", texts(t, words.index("a")))


def sentencepiece_model():
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(corpus), model_writer=model, vocab_size=292, byte_fallback=True, normalization_rule_name="identity",
        user_defined_symbols=["▁▁▁", "<tool>"], control_symbols=["<mask>"], pad_id=3, minloglevel=2, remove_extra_whitespaces=False)
    folder = out / "sentencepiece"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tokenizer.model").write_bytes(model.getvalue())
    sp = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
    anchor = sp.piece_to_id("a")
    assert anchor != sp.unk_id()
    rows = []
    for id in range(sp.get_piece_size()):
        token, special = sp.id_to_piece(id), sp.is_control(id) or sp.is_unknown(id)
        rows.append([id, token, token if special else sp.decode([anchor, id])[1:], special])
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "LlamaTokenizer", "added_tokens_decoder": {
        "0": {"content": "<unk>", "special": True}, str(len(rows)): {"content": "<turn>", "special": True}, str(len(rows) + 1): {"content": "▁x", "special": False}}}))
    expect("sentencepiece", rows + [[len(rows), "<turn>", "<turn>", True], [len(rows) + 1, "▁x", " x", False]])


kinds()
vocab_txt()
sentencepiece_model()
