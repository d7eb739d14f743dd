"""Classes whose constructor takes sizes and options in one argument."""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any


class Configured:
    """A class whose constructor takes some `attributes` in one argument, as if it took them all.

    The argument is a dict if it is `keyed`, and otherwise an object. Without a `name` the class
    takes them in a **kwargs.
    """

    def __init__(
        self, cls: Callable[..., Any], name: str, attributes: Sequence[str], *, keyed: bool
    ) -> None:
        self.cls, self.name, self.attributes, self.__name__ = cls, name, attributes, cls.__name__
        self.keyed = keyed
        others = [each.replace(kind=each.KEYWORD_ONLY) for each in parameters(cls) if name]
        inside = [inspect.Parameter(key, inspect.Parameter.KEYWORD_ONLY) for key in attributes]
        others = [each for each in others if each.name not in (name, *attributes)]
        self.__signature__ = inspect.Signature([*inside, *others])

    def divided(self, given: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Divide what is given by name into what goes into the argument, and what does not."""
        inside = {key: value for key, value in given.items() if key in self.attributes}
        return inside, {key: value for key, value in given.items() if key not in inside}

    def __call__(self, **given: Any) -> Any:
        """Make an instance."""
        inside, others = self.divided(given)
        if not self.name:
            return self.cls(**given)
        config = inside if self.keyed else types.SimpleNamespace(**inside)
        return self.cls(**{self.name: config}, **others)


def anything(cls: type[Any] | Callable[..., Any]) -> str:
    """Return the name of the constructor's ``**kwargs``, "" if it has none."""
    if not isinstance(cls, type):
        return ""
    every = inspect.signature(getattr(cls, "__init__")).parameters.values()  # noqa: B009
    return next((p.name for p in every if p.kind is p.VAR_KEYWORD), "")


def parameters(cls: Callable[..., Any]) -> list[inspect.Parameter]:
    """List the parameters of the constructor that have names."""
    anything = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    try:
        named = [p for p in inspect.signature(cls).parameters.values() if p.kind not in anything]
    except (TypeError, ValueError):
        named = []
    if isinstance(cls, type) and not named:
        # a metaclass may take whatever the constructor takes
        own = [*inspect.signature(getattr(cls, "__init__")).parameters.values()][1:]  # noqa: B009
        return [p for p in own if p.kind not in anything]
    return named
