"""Findings in TorchScript that no shipped adapter meets: they show in hand-written cells."""

from tests.adapters.findings.finding import Finding

FINDINGS = (
    Finding(
        "TorchScript's gradient of chunk is too small where a piece is not used",
        "fault",
        ("torch.jit.script",),
        "The first call has it right. From the second one on, which runs what TorchScript has "
        "optimized, the gradient lacks the pieces that have none, and autograd refuses it. A "
        "hand-written cell meets this fault that splits its gates by `chunk`, where only c is used "
        "and the output gate has no gradient. torch.nn.LSTM in TorchScript does not.",
        """
import torch

# TorchScript compiles what `def halves(x)` below @torch.jit.script would be
lines = "def halves(x):", " first, second = x.chunk(2, 1)", " return 2 * first, 2 * second", ""
halves = torch.jit.CompilationUnit("\\n".join(lines)).halves
x = torch.ones(1, 2, requires_grad=True)
for call in ("first", "second"):
    try:
        halves(x)[0].sum().backward()
    except RuntimeError as error:
        print(call, "call:", str(error).split("returned ")[1])
""",
        "second call: an invalid gradient at index 0 - got [1, 1] but expected shape compatible "
        "with [1, 2]",
        "https://docs.pytorch.org/docs/stable/generated/torch.chunk.html: splits a tensor into "
        "chunks, each a view of the input; the gradient of a view that is not used is zero, as the "
        "first call and eager mode have it.",
        saying=("returned an invalid gradient",),
        rare=True,
    ),
)
