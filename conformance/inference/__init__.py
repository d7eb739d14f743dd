"""Finds out how a hand-written LSTM stores its parameters, and how to call the LSTM."""

from conformance.inference.inference import Inference
from conformance.inference.inferring import infer

__all__ = ["Inference", "infer"]
