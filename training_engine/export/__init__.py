"""Model folders made from other things: a GGUF file, an adapter and its base."""
