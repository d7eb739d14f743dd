"""How deeply autograd and ``torch.func`` are nested, and the hooks on what autograd saves."""

from __future__ import annotations

from typing import Any

from conformance.checking.settings import Setting


def transforms(torch: Any) -> dict[str, Setting]:
    """How deeply ``torch.func`` transforms are nested."""
    functorch: Any = torch._C._functorch

    def depth() -> int:
        if hasattr(functorch, "get_dynamic_layer_stack_depth"):
            return int(functorch.get_dynamic_layer_stack_depth())
        top = functorch.peek_interpreter_stack()
        return 0 if top is None else int(top.level())

    def leave(wanted: int) -> None:
        while depth() > wanted:
            functorch.pop_dynamic_layer_stack()

    return {"the nesting of torch.func": Setting(depth, leave)}


def forward_mode(torch: Any) -> dict[str, Setting]:
    """How deeply levels of forward-mode gradients are nested."""
    levels: Any = torch.autograd.forward_ad

    def leave(wanted: int) -> None:
        while levels._current_level > wanted:
            levels.exit_dual_level()

    return {
        "the nesting of torch.autograd.forward_ad": Setting(lambda: levels._current_level, leave)
    }


def saved_tensors(torch: Any) -> dict[str, Setting]:
    """The hooks on tensors that autograd saves: the last, or in older versions whether any."""
    autograd = torch._C._autograd
    pop = autograd._pop_saved_tensors_default_hooks
    top = getattr(autograd, "_top_saved_tensors_default_hooks", None)

    def read() -> Any:
        if top is not None:
            return top(True)
        message = autograd._saved_tensors_hooks_get_disabled_error_message()
        try:
            autograd._saved_tensors_hooks_disable(message or "")
        except RuntimeError:  # hooks cannot be disabled while there are any
            return True
        finally:
            if message is None:
                autograd._saved_tensors_hooks_enable()
        return None

    def write(wanted: Any) -> None:
        while (now := read()) is not None and now != wanted:
            pop()
        if now is None and wanted is not None:
            autograd._push_saved_tensors_default_hooks(*wanted)

    return {"torch.autograd.graph.saved_tensors_hooks": Setting(read, write)}
