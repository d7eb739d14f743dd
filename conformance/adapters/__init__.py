"""Adapters for LSTMs with parameters, shapes or calls other than PyTorch's.

One module for each framework, imported only when one of them is asked for:
:mod:`conformance.shipped` knows them by name. What they share is in
:mod:`conformance.adapters.networks`, for libraries on JAX in
:mod:`conformance.adapters.jax_functions`, and for what Keras runs on in
:mod:`conformance.adapters.keras_backends`; parameters go through :mod:`conformance.layouts`.
"""
