"""Encoder–decoders: the source is read once, the output written token by token.

Greedy outputs are those of stock `generate` with one beam: the rules that a model's own generation
configuration sets (T5's, BART's and Marian's differ) are applied by the same stock processors.
"""

from collections.abc import Callable
from typing import Any, ClassVar

import torch
from torch import Tensor

from training_engine.contract.choices import Head
from training_engine.contract.context import context_of
from training_engine.contract.serving import Done, GenerateRequest, StreamItem
from training_engine.serve.answer import Answer
from training_engine.serve.failures import ServeError
from training_engine.serve.generation import too_long
from training_engine.serve.loaded_model import LoadedModel
from training_engine.serve.sampling import Sampler


class LoadedTranslator(LoadedModel):
    """An encoder–decoder in memory; its adapters are switched as those of language models."""

    head: ClassVar[Head] = Head.SEQ2SEQ_LM

    @property
    def longest(self) -> int | None:
        """Tokens that encoder and decoder can hold each; None where positions have no end."""
        return context_of(self.config)

    @property
    def start(self) -> int:
        """The token that an output begins with."""
        known = (self.model.generation_config, self.model.config)
        found = (getattr(each, "decoder_start_token_id", None) for each in known)
        begin = next((int(token) for token in found if isinstance(token, int)), None)
        if begin is None:
            raise ServeError(
                "model_not_found",
                f"The model {self.folder.name} does not say how an output begins.",
                "Its configuration must name a decoder_start_token_id.",
            )
        return begin

    def read(self, adapter: str | None, tokens: list[int]) -> Any:
        """What the encoder makes of a source."""
        self.activate(adapter)
        ids = torch.tensor([tokens], device=self.model.device)
        with torch.inference_mode():
            return self.model.get_encoder()(input_ids=ids, attention_mask=torch.ones_like(ids))

    def write(self, adapter: str | None, source: Any, token: int, cache: Any) -> tuple[Tensor, Any]:
        """Scores (vocabulary,) of what comes after `token`, and the cache."""
        self.activate(adapter)
        ids = torch.tensor([[token]], device=self.model.device)
        mask = ids.new_ones(source.last_hidden_state.shape[:2])
        with torch.inference_mode():
            out = self.model(
                encoder_outputs=source,
                attention_mask=mask,
                decoder_input_ids=ids,
                past_key_values=cache,
                use_cache=True,
            )
        return out.logits[0, -1], out.past_key_values


class Translation:
    """One output in the making; advances by one model call at a time."""

    def __init__(
        self,
        request: GenerateRequest,
        loaded: LoadedTranslator,
        tell: Callable[[StreamItem], None],
        arrived: float,
    ) -> None:
        """Raises `ServeError` when there is no source or it is too long."""
        tokenizer = loaded.use(request.adapter_path).tokenizer
        self._loaded, self._adapter = loaded, request.adapter_path
        self._source: list[int] = tokenizer(source_of(request))["input_ids"]
        longest = loaded.longest
        if longest is not None and len(self._source) > longest:
            raise too_long(len(self._source), longest)
        # The token that an output begins with takes one place.
        most = min(request.max_new_tokens, (longest or 2**31) - 1)
        self._written = [loaded.start]
        penalty = request.repetition_penalty
        self._sampler = Sampler(
            temperature=request.temperature,
            top_p=request.top_p,
            repetition_penalty=loaded.repetition_penalty if penalty is None else penalty,
            seed=request.seed,
            prompt=self._written,
        )
        self._rules = rules_of(loaded.model, sorted(loaded.ends), most + 1)
        self._answer = Answer(
            request,
            tokenizer,
            tell,
            arrived=arrived,
            prompt_tokens=len(self._source),
            most=most,
            ends=loaded.ends,
        )
        self._read: Any = None
        self._cache: Any = None

    def advance(self) -> bool:
        """One call of the model; True when the output is complete."""
        if self._read is None:
            self._read = self._loaded.read(self._adapter, self._source)
            return False
        logits, self._cache = self._loaded.write(
            self._adapter, self._read, self._written[-1], self._cache
        )
        written = torch.tensor([self._written], device=logits.device)
        token = self._sampler.pick(self._rules(written, logits.float()[None])[0])
        self._written.append(token)
        return self._answer.take(token)

    def done(self, reason: str) -> Done:
        """The last item of the stream, as things stand."""
        return self._answer.done(reason)


def source_of(request: GenerateRequest) -> str:
    """All that was said, as training joins it; raises `ServeError` when that is nothing."""
    source = "\n\n".join(message.content for message in request.messages if message.content)
    if not source.strip():
        raise ServeError("bad_conversation", "There is no text.", "Write a text.")
    return source


def rules_of(model: Any, ends: list[int], longest: int) -> Any:
    """What the model's generation configuration asks for, as stock processors.

    `longest`: tokens of an output with the one it begins with.
    """
    from transformers.generation import logits_process as stock

    rules: list[Any] = []
    wanted = {
        "no_repeat_ngram_size": lambda size: stock.NoRepeatNGramLogitsProcessor(size),
        "bad_words_ids": lambda words: stock.NoBadWordsLogitsProcessor(words, ends),
        "min_length": lambda length: stock.MinLengthLogitsProcessor(
            length, ends, device=model.device
        ),
        "forced_bos_token_id": stock.ForcedBOSTokenLogitsProcessor,
        "forced_eos_token_id": lambda end: stock.ForcedEOSTokenLogitsProcessor(
            longest, end, device=model.device
        ),
        "suppress_tokens": lambda tokens: stock.SuppressTokensLogitsProcessor(
            tokens, device=model.device
        ),
    }
    for name, make in wanted.items():
        value = getattr(model.generation_config, name, None)
        # 0 words and a shortest length of 0 are no rules; token 0 is one.
        if value is not None and (value != 0 or name.startswith("forced")):
            rules.append(make(value))
    return stock.LogitsProcessorList(rules)
