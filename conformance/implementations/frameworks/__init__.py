"""Adapters for LSTMs whose parameters, shapes or calls are not PyTorch's.

Each framework has a module, which is imported only when one of its LSTMs is verified;
``implementations.shipped`` lists the names. ``networks`` has what several adapters share,
``jax_functions`` what the libraries on JAX share, and ``keras_backends`` what Keras runs on.
``implementations.layouts`` converts the parameters.
"""
