"""What the engine says: the contract's writer, shared with every other kind of job."""

from training_engine.contract.event_writer import EventWriter

__all__ = ["EventWriter"]
