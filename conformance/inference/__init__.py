"""Finding out how a hand-written LSTM stores its parameters and how it is called."""

from conformance.inference.inference import Inference, infer

__all__ = ["Inference", "infer"]
