"""Which entries apply to an implementation, on a device of this machine."""

from __future__ import annotations

import importlib.metadata
import sys
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

from conformance.checking.expectations.expectation import (
    NO,
    YES,
    Applied,
    Expectation,
    Role,
    is_named,
)
from conformance.checking.expectations.wrapping import computed_by
from conformance.errors import UsageError
from conformance.implementations.implementation import Implementation
from conformance.implementations.shipped import SHIPPED


@dataclass(frozen=True)
class Expected:
    """What a run expects.

    - `file`: the file with the entries, as it is shown; empty without one
    - `applied`: the entries that apply, this project's known faults among them
    - `unjudged`: why each other entry of the file applies nowhere in the run, by its place
    """

    file: str = ""
    applied: tuple[Applied, ...] = ()
    unjudged: dict[str, str] = field(default_factory=dict)

    def of(self, requirement: str, implementation: str, device: str) -> list[Applied]:
        """Return the entries that apply there."""
        here = requirement, implementation, device
        return [
            each
            for each in self.applied
            if (each.entry.requirement, each.implementation, each.device) == here
        ]


def applied(
    entries: Iterable[Expectation],
    implementation: Implementation,
    devices: Sequence[str],
    dtypes: Collection[str] = (),
) -> tuple[list[Applied], dict[str, str]]:
    """Return the `entries` that apply on these devices, and why each of the others does not.

    `dtypes` are those to which the run is limited, if it is. Raises :class:`UsageError` if a
    condition cannot be evaluated.
    """
    found: list[Applied] = []
    others: dict[str, str] = {}
    wrapped: tuple[str, ...] | None = None
    for entry in entries:
        mine = _names(entry, implementation.name)
        named = "" if mine else next((each for each in TORCHS if each in entry.implementation), "")
        if not mine and not (entry.shipped and named):
            others[entry.at] = f"no {' or '.join(entry.implementation)} is verified here"
            continue
        reasons = [_elsewhere(entry, implementation, device, dtypes) for device in devices]
        role = Role.STRICT
        if not mine and "" in reasons:
            if wrapped is None:
                own = implementation.name in SHIPPED and SHIPPED[implementation.name].strict
                wrapped = () if own else computed_by(implementation)
            named = next((each for each in wrapped if each in entry.implementation), named)
            role = Role.LENIENT if named in wrapped else Role.MENTIONED
        for device, reason in zip(devices, reasons, strict=True):
            if reason:
                others[entry.at] = reason
            else:
                found.append(Applied(entry, implementation.name, device, role, named))
    places = {each.entry.at for each in found}
    return found, {at: reason for at, reason in others.items() if at not in places}


OURS = __name__.partition(".")[0]
"""The package in which a program in another language, for one, has its adapter."""
TORCHS = ("torch.nn.LSTM", "torch.nn.LSTMCell")
"""The LSTMs of PyTorch that others are built on."""


def _names(entry: Expectation, name: str) -> bool:
    patterns = entry.implementation or ("*",)
    return any(is_named(name, pattern) for pattern in patterns)


def _elsewhere(
    entry: Expectation, implementation: Implementation, device: str, dtypes: Collection[str]
) -> str:
    """Give the reason why `entry` does not hold on `device`, empty if it does hold."""
    if device not in implementation.supports.devices:
        return f"no {device.partition(':')[0].upper()} device is present"
    if entry.device and not {device, device.partition(":")[0]} & set(entry.device):
        return f"{' and '.join(entry.device)} is not verified here"
    if entry.dtype and dtypes and not set(entry.dtype) & set(dtypes):
        return f"{' and '.join(entry.dtype)} is not verified here"
    if entry.platform and sys.platform not in entry.platform:
        return f"the platform is {sys.platform}"
    if entry.torch and not _within(entry, "torch", torch_version(), entry.torch):
        return f"torch is {torch_version()}"
    if entry.version:
        here = version_of(implementation)
        if not _within(entry, implementation.name, here, entry.version):
            return f"{implementation.name} is {here}"
    if entry.cudnn:
        here = cudnn_version() if device.startswith("cuda") else ""
        used = bool(here) == (entry.cudnn != NO)
        ranged = bool(here) and entry.cudnn not in (YES, NO)
        if not used or (ranged and not _within(entry, "cuDNN", here, entry.cudnn)):
            return f"cuDNN is {here or 'not in use'}"
    return ""


def _within(entry: Expectation, name: str, version: str, wanted: str) -> bool:
    """Return whether a version is `wanted`; that of a pre-release counts as that of its release.

    Raises :class:`UsageError` if there is no version, or one that cannot be compared.
    """
    try:
        return SpecifierSet(wanted).contains(Version(version).base_version)
    except InvalidVersion:
        what = f"its version {version!r} cannot be compared" if version else "it has no version"
        text = f"{entry.at}: the version of {name} must be {wanted}, but {what}"
        raise UsageError(text) from None


def torch_version() -> str:
    """Return the version of the installed torch, empty without torch."""
    return _version("torch")


def cudnn_version() -> str:
    """Return the version of the cuDNN that PyTorch uses, such as 9.19.0; empty if it uses none."""
    import torch

    cudnn: Any = torch.backends.cudnn
    if not (cudnn.is_available() and cudnn.enabled):
        return ""
    number = int(cudnn.version())
    major = 1000 if number < 10_000 else 10_000
    return f"{number // major}.{number % major // 100}.{number % 100}"


def version_of(implementation: Implementation) -> str:
    """Return the version that `implementation` has itself, or that of its package; else empty.

    A class that an adapter runs may have a text as its attribute `version`, too.
    """
    of = getattr(implementation, "cls", getattr(implementation, "factory", None))
    of_class = getattr(of, "version", "")
    own = getattr(implementation, "version", "") or (of_class if type(of_class) is str else "")
    if own:
        return str(own)
    name = implementation.name
    if name in SHIPPED:
        module = (*SHIPPED[name].needs, "torch")[0]
    else:
        inner = getattr(implementation, "inner", implementation)
        module = str(getattr(of or type(inner), "__module__", "")).partition(".")[0]
    return "" if module == OURS else package_version(module)


def package_version(module: str) -> str:
    """Return the version of the distribution that has `module`; empty if none has."""
    return _version(_distribution_of(module))


def _distribution_of(module: str) -> str:
    """Return the distribution that has `module`; empty if none has."""
    found = importlib.metadata.packages_distributions().get(module)
    if found is None and sys.version_info < (3, 11):  # which lists those alone that declare theirs
        found = [
            str(each.metadata["Name"])
            for each in importlib.metadata.distributions()
            if any(file.parts[0].removesuffix(".py") == module for file in each.files or ())
        ]
    return found[0] if found else ""


def _version(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution) if distribution else ""
    except importlib.metadata.PackageNotFoundError:
        return ""
