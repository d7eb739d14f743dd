"""Adapters for LSTMs with parameters, shapes or calls other than PyTorch's.

One module for each framework, which alone imports it: :mod:`conformance.shipped` knows them by
name. What they share is in :mod:`conformance.adapters.networks`, and for libraries on JAX in
:mod:`conformance.adapters.jax_functions`; parameters go through :mod:`conformance.layouts`.
"""
