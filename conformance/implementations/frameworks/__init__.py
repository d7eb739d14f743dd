"""Adapters for LSTMs with parameters, shapes or calls other than PyTorch's.

One module for each framework, imported only when it is asked for; ``implementations.shipped`` has
their names. What they share is in ``networks``, for libraries on JAX in ``jax_functions``, and for
what Keras runs on in ``keras_backends``. Parameters go through ``implementations.layouts``.
"""
