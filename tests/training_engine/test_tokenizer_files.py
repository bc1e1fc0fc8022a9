"""Everything that a tokenizer reads goes along with a result, whatever its files are called."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.tiny_model import CHATML, build_tiny_model
from tests.training_engine.objectives.rows import spec_for, write
from tests.training_engine.serve.conftest import PEFT_WARNING, make_adapter
from tests.training_engine.specs import Outcome, greetings, make_spec, run_here, write_rows
from training_engine.contract.choices import Objective
from training_engine.contract.names import ExitCode
from training_engine.export.merge import merge
from training_engine.models.load import load_tokenizer
from training_engine.tokenizer_files import copy_tokenizer, name_class, templates_of

TINY = {"max_steps": 2, "evaluation_fraction": 0}
OTHER = "{% for m in messages %}<|im_start|>{{ m['content'] }}<|im_end|>{% endfor %}"
# Marian's tokenizer recommends another library.
SACREMOSES = "ignore:Recommended. pip install sacremoses"
TEXTS = ["Hello, world!", "你好，世界。", "a >= b"]


def build_tiny_marian(folder: Path) -> Path:
    """A translator as published: two vocabularies of pieces, and no name of the tokenizer."""
    import sentencepiece
    import torch
    from transformers import MarianConfig, MarianMTModel

    folder.mkdir()
    sentences = [f"I am {name} and wear a {hat} hat." for name in "ABCDEF" for hat in ("red", "b")]
    for side in ("source", "target"):
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(sentences), model_prefix=str(folder / side), vocab_size=40,
            hard_vocab_limit=False, character_coverage=1.0, minloglevel=2,
        )  # fmt: skip
        (folder / f"{side}.model").rename(folder / f"{side}.spm")
        (folder / f"{side}.vocab").unlink()
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(folder / "source.spm"))
    names = [pieces.id_to_piece(i) for i in range(3, pieces.get_piece_size())]
    vocabulary = {name: i for i, name in enumerate(["</s>", "<unk>", *names, "<pad>"])}
    (folder / "vocab.json").write_text(json.dumps(vocabulary))
    languages = {"source_lang": "en", "target_lang": "de"}
    (folder / "tokenizer_config.json").write_text(json.dumps(languages))
    torch.manual_seed(0)
    last = len(vocabulary) - 1
    config = MarianConfig(
        vocab_size=len(vocabulary), d_model=16, encoder_layers=1, decoder_layers=1,
        encoder_attention_heads=2, decoder_attention_heads=2, encoder_ffn_dim=32,
        decoder_ffn_dim=32, max_position_embeddings=128, pad_token_id=last, eos_token_id=0,
        decoder_start_token_id=last, forced_eos_token_id=0,
    )  # fmt: skip
    MarianMTModel(config).save_pretrained(folder)
    return folder


def trained(tmp_path: Path, model: Path, **fields: object) -> Outcome:
    data = write_rows(tmp_path / "data.jsonl", greetings(12))
    return run_here(tmp_path / "run", make_spec(data, model, hyperparameters=TINY, **fields))


def ids(folder: Path) -> list[list[int]]:
    tokenizer = load_tokenizer(folder)
    return [
        [*tokenizer(text)["input_ids"], *tokenizer(text_target=text).input_ids] for text in TEXTS
    ]


@pytest.mark.filterwarnings(SACREMOSES)
@pytest.mark.parametrize("method", ["lora", "full"])
def test_a_translator_with_pieces_in_files_of_its_own(tmp_path: Path, method: str) -> None:
    model = build_tiny_marian(tmp_path / "model")
    data = write(tmp_path / "rows.jsonl", Objective.SEQ2SEQ, 12)
    spec = spec_for(Objective.SEQ2SEQ, data, model, TINY, method=method)
    outcome = run_here(tmp_path / "run", spec)
    assert outcome.code == ExitCode.FINISHED, outcome.last
    output = outcome.run_dir / "output"
    assert {"source.spm", "target.spm", "vocab.json"} <= {path.name for path in output.iterdir()}
    assert json.loads((output / "certificate.json").read_text())["passed"] is True
    assert type(load_tokenizer(output)).__name__ == "MarianTokenizer"
    assert ids(output) == ids(model)
    if method == "lora":
        merge(model, output, tmp_path / "merged", "merged")
        assert ids(tmp_path / "merged") == ids(model)


def with_templates(folder: Path, **more: str) -> Path:
    (folder / "additional_chat_templates").mkdir(exist_ok=True)
    for name, template in more.items():
        (folder / "additional_chat_templates" / f"{name}.jinja").write_text(template)
    return folder


@pytest.mark.parametrize("method", ["lora", "full"])
def test_templates_beside_the_first_one(tmp_path: Path, method: str) -> None:
    model = with_templates(build_tiny_model(tmp_path / "model"), tool_use=CHATML + "{{ 1 }}")
    outcome = trained(tmp_path, model, method=method)
    assert outcome.code == ExitCode.FINISHED, outcome.last
    output = outcome.run_dir / "output"
    wanted = load_tokenizer(model).chat_template
    assert set(wanted) == {"default", "tool_use"}
    assert load_tokenizer(output).chat_template == wanted
    assert "additional_chat_templates/tool_use.jinja" in (output / "MANIFEST.json").read_text()
    if method == "lora":
        size = merge(model, output, tmp_path / "merged", "merged")
        assert load_tokenizer(tmp_path / "merged").chat_template == wanted
        found = [path for path in (tmp_path / "merged").rglob("*") if path.is_file()]
        assert size == sum(path.stat().st_size for path in found)


def test_a_template_of_the_run_is_the_only_one(tmp_path: Path) -> None:
    model = with_templates(build_tiny_model(tmp_path / "model"), tool_use=CHATML)
    outcome = trained(tmp_path, model, chat_template=OTHER)
    assert outcome.code == ExitCode.FINISHED, outcome.last
    output = outcome.run_dir / "output"
    assert load_tokenizer(output).chat_template == OTHER
    merge(model, output, tmp_path / "merged", "merged")
    assert load_tokenizer(tmp_path / "merged").chat_template == OTHER


@pytest.mark.filterwarnings(PEFT_WARNING)
def test_the_base_gives_what_an_adapter_does_not_bring(tmp_path: Path) -> None:
    base = with_templates(build_tiny_model(tmp_path / "base"), tool_use=CHATML)
    (base / "sentencepiece.bpe.model").write_bytes(b"pieces")
    adapter = make_adapter(base, tmp_path / "adapter")
    merge(base, adapter, tmp_path / "merged", "merged")
    assert (tmp_path / "merged" / "sentencepiece.bpe.model").read_bytes() == b"pieces"
    assert set(load_tokenizer(tmp_path / "merged").chat_template) == {"default", "tool_use"}
    (adapter / "chat_template.jinja").write_text(OTHER)
    merge(base, adapter, tmp_path / "merged", "merged")
    assert load_tokenizer(tmp_path / "merged").chat_template == OTHER


NAMED = [{"name": "default", "template": CHATML}, {"name": "tool_use", "template": CHATML + "x"}]


def in_the_configuration(folder: Path, template: object, *, alone: bool = True) -> Path:
    """The template where older folders have it; `alone`: nowhere else."""
    path = folder / "tokenizer_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "chat_template": template}))
    if alone:
        (folder / "chat_template.jinja").unlink()
    return folder


def for_gguf(folder: Path) -> object:
    """The template that llama.cpp's tools take from a folder."""
    from gguf import SpecialVocab

    return SpecialVocab(folder).chat_template


@pytest.mark.parametrize("old", [CHATML, NAMED])
def test_a_template_of_the_run_replaces_those_of_the_configuration(
    tmp_path: Path, old: object
) -> None:
    model = in_the_configuration(build_tiny_model(tmp_path / "model"), old)
    outcome = trained(tmp_path, model, chat_template=OTHER)
    assert outcome.code == ExitCode.FINISHED, outcome.last
    output, merged = outcome.run_dir / "output", tmp_path / "merged"
    merge(model, output, merged, "merged")
    for folder in (output, merged):
        assert load_tokenizer(folder).chat_template == for_gguf(folder) == OTHER
        assert "chat_template" not in json.loads((folder / "tokenizer_config.json").read_text())
    assert load_tokenizer(output).eos_token == load_tokenizer(model).eos_token


@pytest.mark.parametrize("method", ["lora", "full"])
def test_of_two_templates_the_one_that_was_trained_with_goes_along(
    tmp_path: Path, method: str
) -> None:
    model = in_the_configuration(build_tiny_model(tmp_path / "model"), OTHER, alone=False)
    outcome = trained(tmp_path, model, method=method)
    assert outcome.code == ExitCode.FINISHED, outcome.last
    output = outcome.run_dir / "output"
    assert load_tokenizer(output).chat_template == for_gguf(output) == CHATML


def test_an_adapters_template_replaces_that_of_the_bases_configuration(tmp_path: Path) -> None:
    base, adapter, target = (tmp_path / name for name in ("base", "adapter", "target"))
    in_the_configuration(build_tiny_model(base), NAMED)
    for folder in (adapter, target):
        folder.mkdir()
    copy_tokenizer([adapter, base], target)
    assert templates_of(target) == load_tokenizer(target).chat_template
    assert set(templates_of(target)) == {"default", "tool_use"}
    shutil.rmtree(target)
    target.mkdir()
    (adapter / "chat_template.jinja").write_text(OTHER)
    copy_tokenizer([adapter, base], target)
    assert templates_of(target) == {"default": OTHER}
    assert load_tokenizer(target).chat_template == for_gguf(target) == OTHER


@pytest.mark.parametrize("form", ["none", "one", "list", "files", "named file alone", "both"])
def test_templates_of_record_are_those_that_transformers_finds(tmp_path: Path, form: str) -> None:
    model = build_tiny_model(tmp_path / "model")
    match form:
        case "none":
            (model / "chat_template.jinja").unlink()
        case "one" | "list":
            in_the_configuration(model, CHATML if form == "one" else NAMED)
        case "files":
            with_templates(model, tool_use=OTHER)
            in_the_configuration(model, NAMED, alone=False)
        case "named file alone":
            in_the_configuration(with_templates(model, rag=OTHER), CHATML)
    found = load_tokenizer(model).chat_template or {}
    assert templates_of(model) == ({"default": found} if isinstance(found, str) else found)


def test_files_that_only_the_tokenizer_knows(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.mkdir()
    target.mkdir()
    names = {"vocab_file": "words.tiktoken", "other": "../outside", "absent": "none.txt"}
    for name in ("words.tiktoken", "tokenizer.4.0.0.json", "tokenizer.model.v3", "notes.txt"):
        (source / name).write_text(name)
    (tmp_path / "outside").write_text("not a tokenizer's")
    copy_tokenizer([source], target, SimpleNamespace(vocab_files_names=names))
    found = {path.name for path in target.iterdir()}
    assert found == {"words.tiktoken", "tokenizer.4.0.0.json", "tokenizer.model.v3"}


def test_every_vocabulary_of_transformers_is_known(tmp_path: Path) -> None:
    """Also where no tokenizer can be asked, as when a base is merged whose tokenizer is broken."""
    import re

    import transformers

    folder = Path(transformers.__file__).parent / "models"
    texts = [path.read_text("utf-8") for path in folder.glob("*/tokenization_*.py")]
    blocks = [b for text in texts for b in re.findall(r"VOCAB_FILES_NAMES = \{(.*?)\}", text, re.S)]
    names = {name for block in blocks for name in re.findall(r': *"([\w.-]+)"', block)}
    assert len(names) > 15
    source, target = tmp_path / "source", tmp_path / "target"
    source.mkdir()
    target.mkdir()
    for name in names:
        (source / name).write_text("x")
    copy_tokenizer([source], target)
    assert {path.name for path in target.iterdir()} == names


def test_a_class_is_named_only_where_nothing_tells_it(tmp_path: Path) -> None:
    class OwnTokenizer:
        pass

    path = tmp_path / "tokenizer_config.json"
    for said in ('{"tokenizer_class": "A"}', '{"auto_map": {}}'):
        path.write_text(said)
        name_class(tmp_path, OwnTokenizer())
        assert path.read_text() == said
    path.write_text('{"source_lang": "en"}')
    name_class(tmp_path, OwnTokenizer())
    named = {"source_lang": "en", "tokenizer_class": "OwnTokenizer"}
    assert json.loads(path.read_text()) == named
    shutil.copyfile(path, tmp_path / "config.json")
    path.unlink()
    name_class(tmp_path, OwnTokenizer())
    assert not path.exists()
