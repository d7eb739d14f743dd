"""Findings in PyTorch's other ways to run an LSTM."""

from tests.adapters.findings.finding import Finding

QUANTIZABLE = "https://docs.pytorch.org/docs/stable/generated/torch.ao.nn.quantizable.LSTM.html"
BOTH = ("torch.ao.nn.quantizable.LSTM", "torch.ao.nn.quantizable.LSTM-forward")

DYNAMIC = (
    "https://docs.pytorch.org/docs/stable/generated/torch.ao.quantization.quantize_dynamic.html"
)
QUANTIZED = """
import torch

module = torch.nn.Sequential(torch.nn.LSTM(1, 1))
for parameter in module.parameters():
    torch.nn.init.zeros_(parameter)
torch.nn.init.ones_(module[0].weight_ih_l0)
lstm = torch.ao.quantization.quantize_dynamic(module, {torch.nn.LSTM}, torch.qint8)
"""

FINDINGS = (
    Finding(
        "torch.compile leaves an LSTM as it is, and does not say so",
        "avoided",
        ("torch.compile",),
        "Dynamo breaks its graph at the module and runs it eagerly. The adapter sets "
        "`torch._dynamo.config.allow_rnn` and asks for one graph.",
        """
import torch

module = torch.nn.Sequential(torch.nn.LSTM(1, 1))
print("graphs:", torch._dynamo.explain(module)(torch.zeros(1, 1, 1)).graph_count)
""",
        "graphs: 0",
        "https://docs.pytorch.org/docs/stable/generated/torch.compile.html: optimizes given "
        "model/function using TorchDynamo and specified backend.",
    ),
    Finding(
        "torch.compile returns float32 for bfloat16 without biases",
        "fault",
        ("torch.compile",),
        "Where no gradients are recorded, its decomposition for oneDNN puts zeros for the biases "
        "that are left out, in float32 whatever the weights are.",
        """
import torch

torch._dynamo.config.allow_rnn = True
lstm = torch.nn.LSTM(1, 1, bias=False, dtype=torch.bfloat16)
x = torch.zeros(1, 1, 1, dtype=torch.bfloat16)
with torch.no_grad():
    print("bfloat16 gives", torch.compile(lstm, fullgraph=True)(x)[0].dtype)
""",
        "bfloat16 gives torch.float32",
        "https://docs.pytorch.org/docs/stable/generated/torch.compile.html: optimizes given "
        "model/function; torch.nn.LSTM itself returns bfloat16.",
        saying=("dtype = float32, but should be bfloat16",),
        rare=True,
    ),
    Finding(
        "torch.ao.nn.quantizable.LSTM cannot be bidirectional in several layers",
        "fault",
        BOTH[:1],
        "Its upper layers are made for the output of one direction, and given that of both.",
        """
import torch

lstm = torch.ao.nn.quantizable.LSTM(2, 2, num_layers=2, bidirectional=True)
try:
    lstm(torch.zeros(1, 1, 2))
except RuntimeError as error:
    print(error)
""",
        "mat1 and mat2 shapes cannot be multiplied",
        f"{QUANTIZABLE}: for the description and the argument types see torch.nn.LSTM.",
        saying=("size mismatch for layers.1",),
    ),
    Finding(
        "torch.ao.nn.quantizable.LSTM starts from float32 states in any dtype",
        "fault",
        BOTH,
        "Without initial states it makes zeros in float32, which a module in another dtype does "
        "not take.",
        """
import torch

lstm = torch.ao.nn.quantizable.LSTM(1, 1).double()
try:
    lstm(torch.zeros(1, 1, 1, dtype=torch.float64))
except RuntimeError as error:
    print(error)
""",
        "must have the same dtype",
        f"{QUANTIZABLE}: for the description and the argument types see torch.nn.LSTM.",
        saying=("to have the same dtype", "must have the same dtype"),
    ),
    Finding(
        "torch.ao.nn.quantizable.LSTM has parameters of its own, in an order of its own",
        "declared",
        BOTH,
        "Weight and bias of the input's part of each cell come before those of the state's.",
        """
import torch

print(*list(torch.ao.nn.quantizable.LSTM(1, 1).state_dict())[:2])
""",
        "layers.0.layer_fw.cell.igates.weight layers.0.layer_fw.cell.igates.bias",
        f"{QUANTIZABLE}, variables: layers, instances of the _LSTMLayer.",
        requirements=("state_dict_is_as_documented",),
    ),
    Finding(
        "torch.ao.nn.quantizable.LSTM is initialised as Linear is",
        "fault",
        BOTH,
        "The weights of the input's part are uniform within 1 / sqrt(input_size), not "
        "1 / sqrt(hidden_size).",
        """
import torch

lstm = torch.ao.nn.quantizable.LSTM(10000, 1)
weight = lstm.state_dict()["layers.0.layer_fw.cell.igates.weight"]
print("largest weight below 1 / 100:", bool(weight.abs().max() <= 0.01))
""",
        "largest weight below 1 / 100: True",
        f"{QUANTIZABLE}: for the description and the argument types see torch.nn.LSTM, whose "
        "weights are uniform within 1 / sqrt(hidden_size).",
        requirements=("initial_parameters_are_uniform",),
    ),
    Finding(
        "torch.ao.nn.quantizable.LSTM accepts sizes that are not positive",
        "undocumented",
        BOTH,
        "As torch.nn.LSTMCell does, and torch.nn.LSTM does not.",
        """
import torch

print("accepted: hidden_size", torch.ao.nn.quantizable.LSTM(1, 0).hidden_size)
""",
        "accepted: hidden_size 0",
        f"{QUANTIZABLE}: for the description and the argument types see torch.nn.LSTM, which "
        "refuses them.",
        requirements=("sizes_that_are_not_positive_are_refused",),
    ),
    Finding(
        "torch.ao.nn.quantizable.LSTM ignores dropout",
        "declared",
        BOTH[:1],
        "It warns of it when it is made.",
        """
import warnings

import torch

with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    torch.ao.nn.quantizable.LSTM(1, 1, num_layers=2, dropout=1.0)
print(*[warning.message for warning in caught])
""",
        "dropout option for quantizable LSTM is ignored",
        f"{QUANTIZABLE}, and the warning.",
        requirements=(
            "full_dropout_cuts_layers_apart",
            "survivors_are_scaled",
            "dropout_rate_is_p",
            "dropout_is_drawn_anew",
            "dropped_values_pass_no_gradient",
            "gradients_have_the_mask_of_the_results",
        ),
    ),
    Finding(
        "Dynamic quantization knows neither NaN nor infinity",
        "undocumented",
        ("torch.ao.quantization.quantize_dynamic",),
        "A NaN becomes a number or an error. An infinity makes the range infinite that all rows of "
        "a batch share: the other rows become 0 or NaN.",
        f"""{QUANTIZED}
output, _ = lstm(torch.tensor([[[1.0], [float("nan")]]]))
print("NaN gives NaN:", output[0, 1].isnan().item())
output, _ = lstm(torch.tensor([[[1.0], [float("inf")]]]))
print("the row beside an infinity is computed:", output[0, 0].item() > 0)
""",
        "NaN gives NaN: False\nthe row beside an infinity is computed: False",
        DYNAMIC,
        requirements=(
            "nan_stays_in_its_row",
            "infinity_stays_in_its_row",
            "nan_in_a_parameter_reaches_the_results",
        ),
    ),
    Finding(
        "Dynamic quantization takes numbers that are all tiny for zeros",
        "undocumented",
        ("torch.ao.quantization.quantize_dynamic",),
        "The scale of inputs and of hidden states follows from the largest of them. Where the "
        "reciprocal of the scale is infinite, FBGEMM takes 0.1 instead, and all become 0, even if "
        "they are multiplied with huge weights.",
        """
import torch

module = torch.nn.Sequential(torch.nn.LSTM(1, 1))
for parameter in module.parameters():
    torch.nn.init.zeros_(parameter)
torch.nn.init.constant_(module[0].weight_hh_l0, 1e37)
lstm = torch.ao.quantization.quantize_dynamic(module, {torch.nn.LSTM}, torch.qint8)
states = torch.full((1, 1, 1), 5e-39), torch.zeros(1, 1, 1)
for each in (module[0], lstm[0]):
    print(round(each(torch.zeros(1, 1, 1), states)[0].item(), 3))
""",
        "0.013\n0.0",
        DYNAMIC,
        requirements=("tiny_numbers_are_kept",),
    ),
)
