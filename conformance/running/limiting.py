"""An implementation limited to what the options of a run ask for, and what it is declared to be."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any, get_args, get_type_hints

from conformance.errors import UsageError, unknown
from conformance.implementations.implementation import Implementation, precision
from reference import DTYPES, Precision
from reference.precision import DTYPES_OWN
from strategies.support import LEFT_OUT


def _with(implementation: Implementation, **fields: Any) -> Implementation:
    """Return a copy of `implementation` with these fields."""
    changed = copy.copy(implementation)
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed


def with_dtypes(implementation: Implementation, wanted: str) -> Implementation:
    """Return `implementation` limited to the `wanted` dtypes, a comma-separated list.

    Raises :class:`UsageError` for an unknown dtype, and if none of them is supported.
    """
    names = [name for name in wanted.split(",") if name]
    strange = [name for name in names if name not in DTYPES]
    if strange:
        raise unknown("dtype", strange[0], DTYPES)
    if not names:
        return implementation
    kept = tuple(name for name in implementation.supports.dtypes if name in names)
    if not kept:
        raise UsageError(
            f"{implementation.name} computes in {', '.join(implementation.supports.dtypes)}, "
            f"not in {wanted}"
        )
    return _with(implementation, supports=replace(implementation.supports, dtypes=kept))


def without(implementation: Implementation, names: str) -> Implementation:
    """Return `implementation` declared not to take what `names` lists, separated by commas.

    Raises :class:`UsageError` for an unknown name, and if nothing would be left to try.
    """
    supports = implementation.supports
    for name in filter(None, names.split(",")):
        if name not in LEFT_OUT:
            raise unknown("--without", name, LEFT_OUT)
        try:
            supports = supports.without(name)
        except ValueError as error:
            raise UsageError(f"--without {name}: {implementation.name} {error}") from error
    return _with(implementation, supports=supports) if names else implementation


def with_precision(implementation: Implementation, declared: str) -> Implementation:
    """Return `implementation` with a precision that is `declared` in addition to its own.

    `declared` is a comma-separated list of fields of :class:`reference.Precision` with values,
    such as ``products=tf32``. Raises :class:`UsageError` for unknown fields and wrong values.
    """
    if not declared:
        return implementation
    return _with(implementation, precision=precision_of(declared, precision(implementation)))


def precision_of(declared: str, own: Precision = DTYPES_OWN) -> Precision:
    """Return the precision `own` with what is `declared`; see :func:`with_precision`."""
    values: dict[str, Any] = {}
    kinds = get_type_hints(Precision)
    for part in filter(None, declared.split(",")):
        name, _, text = part.partition("=")
        if name not in kinds:
            raise unknown("--precision", name, kinds)
        kind = next(
            each for each in (int, float, str) if each in (kinds[name], *get_args(kinds[name]))
        )
        try:
            values[name] = kind(text)
        except ValueError as error:
            raise UsageError(f"--precision: {name} must be a number, got {text!r}") from error
    try:
        return replace(own, **values)
    except ValueError as error:
        raise UsageError(f"--precision: {error}") from error


def devices(implementation: Implementation, wanted: str) -> list[str]:
    """Return the devices to verify on.

    `wanted` is a comma-separated list, in which ``cuda`` stands for every CUDA device. Raises
    :class:`UsageError` for a device that is not there.
    """
    present = implementation.supports.devices
    if not wanted:
        return list(present)
    found: list[str] = []
    for name in filter(None, wanted.split(",")):
        matching = [
            device
            for device in present
            if device in (name, f"{name}:0") or (name == "cuda" and device.startswith("cuda:"))
        ]
        if not matching:
            raise UsageError(
                f"{implementation.name} has no device {name!r} here, only {', '.join(present)}"
            )
        found += [device for device in matching if device not in found]
    return found
