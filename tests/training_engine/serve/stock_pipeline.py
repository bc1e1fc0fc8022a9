"""What stock transformers and PEFT say of texts; nothing of this project is imported.

`python stock_pipeline.py BASE ADAPTER|- MAX_LENGTH` with a JSON list of texts on standard input.
"""

import json
import sys

from peft import PeftModel
from transformers import (
    AutoConfig,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    pipeline,
)

base, adapter, max_length = sys.argv[1:4]
own = base if adapter == "-" else adapter
model = AutoModelForSequenceClassification.from_pretrained(
    base, config=AutoConfig.from_pretrained(own), dtype="float32"
)
if adapter != "-":
    model = PeftModel.from_pretrained(model, adapter)
classify = pipeline(
    "text-classification",
    model=model.eval(),
    tokenizer=AutoTokenizer.from_pretrained(own),
    top_k=None,
    truncation=True,
    max_length=int(max_length),
)
print(json.dumps(classify(json.load(sys.stdin))))
