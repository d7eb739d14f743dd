"""Helpers that several requirements share."""
