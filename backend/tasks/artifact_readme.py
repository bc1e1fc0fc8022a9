"""README.md of a downloaded model: what lies beside it, and a program that uses it as it was
trained.
"""

import json

from backend.tasks.schemas import Task
from training_engine.contract.choices import Head, Objective, head_of

CLASSES = {
    Head.CAUSAL_LM: "AutoModelForCausalLM",
    Head.SEQUENCE_CLASSIFICATION: "AutoModelForSequenceClassification",
    Head.SEQ2SEQ_LM: "AutoModelForSeq2SeqLM",
}
LOAD_MODEL = """\
from transformers import {kind}, AutoTokenizer

folder = "artifacts"
model = {kind}.from_pretrained(folder)
tokenizer = AutoTokenizer.from_pretrained(folder)
"""
LOAD_ADAPTER = """\
from peft import PeftModel
from transformers import {kind}, AutoTokenizer

folder = "artifacts"
base = {base}  # on the hub; or the folder where the base model lies
model = PeftModel.from_pretrained({kind}.from_pretrained(base), folder)
tokenizer = AutoTokenizer.from_pretrained(folder)
"""
# Its labels stand in a configuration beside the adapter, which the head is made from.
LOAD_ADAPTER_WITH_HEAD = """\
from peft import PeftModel
from transformers import AutoConfig, {kind}, AutoTokenizer

folder = "artifacts"
base = {base}  # on the hub; or the folder where the base model lies
labels = AutoConfig.from_pretrained(folder)
model = PeftModel.from_pretrained({kind}.from_pretrained(base, config=labels), folder)
model = model.merge_and_unload()
tokenizer = AutoTokenizer.from_pretrained(folder)
"""
CHAT = """\
messages = [{"role": "user", "content": "…"}]
given = tokenizer.apply_chat_template(
    messages, add_generation_prompt=True, return_tensors="pt", return_dict=True
)
answer = model.generate(**given, max_new_tokens=200, do_sample=False)
print(tokenizer.decode(answer[0, given["input_ids"].shape[1]:], skip_special_tokens=True))
"""
CONTINUE = """\
given = tokenizer("…", return_tensors="pt")
text = model.generate(
    input_ids=given["input_ids"], attention_mask=given["attention_mask"],
    max_new_tokens=200, do_sample=False,
)
print(tokenizer.decode(text[0], skip_special_tokens=True))
"""
TRANSLATE = """\
given = tokenizer("…", return_tensors="pt")
output = model.generate(
    input_ids=given["input_ids"], attention_mask=given["attention_mask"], max_new_tokens=200
)
print(tokenizer.decode(output[0], skip_special_tokens=True))
"""
CLASSIFY = """\
from transformers import pipeline

classify = pipeline("text-classification", model=model, tokenizer=tokenizer, top_k=None)
print(classify("…"))  # every label with its score
"""
SCORE = """\
messages = [{"role": "user", "content": "…"}, {"role": "assistant", "content": "…"}]
text = tokenizer.apply_chat_template(messages, tokenize=False)
given = tokenizer(text, add_special_tokens=False, return_tensors="pt")
print(model(**given).logits.item())  # the better the answer, the higher
"""
# What preferences tune answers like any chat model.
USES = {
    Objective.PRETRAIN: CONTINUE,
    Objective.SEQ2SEQ: TRANSLATE,
    Objective.CLASSIFY: CLASSIFY,
    Objective.REWARD: SCORE,
}


def readme(task: Task, *, adapter: bool) -> str:
    """The text; `adapter`: whether the folder holds one, and no whole model."""
    kind = "a LoRA adapter in PEFT's format" if adapter else "a model in Hugging Face's format"
    return (
        f"# {task.output_name}\n\n"
        f"Tuned with EasyTune from {task.model.name} on the data set “{task.dataset.name}”.\n\n"
        f"- `artifacts/`: the model itself, {kind}; its README.md is the model card\n"
        "- `config.yaml`: the run, in the form that `easytune train` reads\n"
        "- `metrics.json`: every curve\n"
        "- `logs.txt`: everything the engine printed\n\n"
        f"## Use it\n\n```python\n{program(task, adapter=adapter)}```\n"
    )


def program(task: Task, *, adapter: bool) -> str:
    """Python that loads the folder `artifacts` and asks the model what it was trained for."""
    head = head_of(task.objective)
    load = LOAD_MODEL
    if adapter:
        scores = head is Head.SEQUENCE_CLASSIFICATION
        load = LOAD_ADAPTER_WITH_HEAD if scores else LOAD_ADAPTER
    base = json.dumps(task.model.name, ensure_ascii=False)
    return load.format(kind=CLASSES[head], base=base) + USES.get(task.objective, CHAT)
