"""The configuration of an LSTM: the constructor arguments of ``torch.nn.LSTM``."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True)
class Configuration:
    """The constructor arguments of ``torch.nn.LSTM``, with its names and defaults.

    Raises :class:`ValueError` for sizes that are not positive integers, a `dropout` outside
    [0, 1], and a `proj_size` that is negative or not below `hidden_size`.
    """

    input_size: int
    hidden_size: int
    num_layers: int = 1
    bias: bool = True
    batch_first: bool = False
    dropout: float = 0.0
    bidirectional: bool = False
    proj_size: int = 0

    def __post_init__(self) -> None:
        for name in ("input_size", "hidden_size", "num_layers", "proj_size"):
            value = getattr(self, name)
            if not isinstance(value, int):
                raise ValueError(f"{name} must be an integer, got {value!r}")
            if value < 1 and name != "proj_size":
                raise ValueError(f"{name} must be at least 1, got {value}")
        if not 0 <= self.dropout <= 1:
            raise ValueError(f"dropout must lie in [0, 1], got {self.dropout}")
        if not 0 <= self.proj_size < self.hidden_size:
            raise ValueError(
                f"proj_size must lie in [0, hidden_size), got {self.proj_size} "
                f"with hidden_size {self.hidden_size}"
            )

    @classmethod
    def unchecked(cls, **options: Any) -> Configuration:
        """Make a configuration of options that need not be possible, for an LSTM to refuse."""
        configuration = object.__new__(cls)
        vars(configuration).update(options)
        return configuration

    @property
    def num_directions(self) -> int:
        """2 if bidirectional, else 1."""
        return 2 if self.bidirectional else 1

    @property
    def output_size(self) -> int:
        """R, the features of h in one direction: `proj_size` if not 0, else `hidden_size`."""
        return self.proj_size or self.hidden_size

    def arguments(self) -> dict[str, Any]:
        """Give the constructor arguments: the two sizes, and every option not at its default.

        >>> Configuration(3, 2, bias=False).arguments()
        {'input_size': 3, 'hidden_size': 2, 'bias': False}
        """
        return {
            item.name: getattr(self, item.name)
            for item in fields(self)
            if getattr(self, item.name) != item.default
        }

    def suffixes(self) -> list[str]:
        """List the suffix of the parameter names of each layer and direction, layer-major.

        >>> Configuration(3, 2, num_layers=2, bidirectional=True).suffixes()
        ['_l0', '_l0_reverse', '_l1', '_l1_reverse']
        """
        directions = ("", "_reverse")[: self.num_directions]
        return [f"_l{layer}{end}" for layer in range(self.num_layers) for end in directions]

    def parameter_shapes(self) -> dict[str, tuple[int, ...]]:
        """Give the shape of every parameter, in the order of PyTorch's ``state_dict``.

        Source: ``torch.nn.LSTM`` documentation, "Variables": the gates are stacked i, f, g, o.

        >>> for name, shape in Configuration(3, 2, proj_size=1).parameter_shapes().items():
        ...     print(name, shape)
        weight_ih_l0 (8, 3)
        weight_hh_l0 (8, 1)
        bias_ih_l0 (8,)
        bias_hh_l0 (8,)
        weight_hr_l0 (1, 2)
        """
        gates = 4 * self.hidden_size
        shapes: dict[str, tuple[int, ...]] = {}
        for position, suffix in enumerate(self.suffixes()):
            first = position < self.num_directions
            fan_in = self.input_size if first else self.num_directions * self.output_size
            shapes[f"weight_ih{suffix}"] = (gates, fan_in)
            shapes[f"weight_hh{suffix}"] = (gates, self.output_size)
            if self.bias:
                shapes[f"bias_ih{suffix}"] = (gates,)
                shapes[f"bias_hh{suffix}"] = (gates,)
            if self.proj_size:
                shapes[f"weight_hr{suffix}"] = (self.proj_size, self.hidden_size)
        return shapes
