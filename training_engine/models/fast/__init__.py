"""The fast path on a CPU for the decoder layer that most open models share.

Stock modules keep the weights; `install` lets their layers compute by hand-written kernels.
"""

from training_engine.models.fast.install import BEFORE, install, shares, uninstall

__all__ = ["BEFORE", "install", "shares", "uninstall"]
