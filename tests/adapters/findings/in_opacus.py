"""Findings in Opacus."""

from tests.adapters.findings.finding import Finding

OPACUS = "https://opacus.ai/api/dp_rnn.html, DPLSTM"

FINDINGS = (
    Finding(
        "Opacus returns float32 states for packed input of any dtype",
        "fault",
        ("opacus",),
        "The final states of a packed batch are copied into tensors of the default dtype.",
        """
import torch
from opacus.layers import DPLSTM
from torch.nn.utils.rnn import pack_sequence

packed = pack_sequence([torch.zeros(1, 1, dtype=torch.float64)])
_, (h_n, c_n) = DPLSTM(1, 1).double()(packed)
print("float64 gives", h_n.dtype, c_n.dtype)
""",
        "float64 gives torch.float32 torch.float32",
        f"{OPACUS}: DP-friendly drop-in replacement of torch.nn.LSTM.",
        # a call after many others is compared in its numbers, before its dtype
        saying=("n.dtype = float", "h_n of each call", "c_n of each call"),
    ),
    Finding(
        "Opacus passes gradients of packed input of any dtype through float32",
        "fault",
        ("opacus",),
        "The copies of the states have gradients of their dtype, in which large ones are infinite.",
        """
import torch
from opacus.layers import DPLSTM
from torch.nn.utils.rnn import pack_sequence

x = torch.zeros(1, 1, dtype=torch.float64, requires_grad=True)
_, (h_n, _) = DPLSTM(1, 1).double()(pack_sequence([x]))
(1e100 * h_n.double()).sum().backward()
print("the gradient is finite:", x.grad.isfinite().item())
""",
        "the gradient is finite: False",
        f"{OPACUS}: DP-friendly drop-in replacement of torch.nn.LSTM.",
        requirements=("gradients_scale_with_cotangents",),
    ),
    Finding(
        "Opacus broadcasts initial states, and takes them without their batch dimension",
        "fault",
        ("opacus",),
        "A cell state of one row is taken for all rows, one of one unit for all units.",
        """
import torch
from opacus.layers import DPLSTM

output, _ = DPLSTM(1, 1)(torch.zeros(2, 3, 1), (torch.zeros(1, 3, 1), torch.ones(1, 1, 1)))
print("three rows from the cell state of one:", tuple(output.shape))
""",
        "three rows from the cell state of one: (2, 3, 1)",
        f"{OPACUS}, forward: initial states are of shape [L*P, B, H].",
        requirements=(
            "wrong_state_batch_is_refused",
            "wrong_state_batch_is_refused_when_packed",
            "wrong_state_features_are_refused",
            "wrong_state_rank_is_refused",
        ),
    ),
    Finding(
        "Opacus applies dropout within the recurrence, and to the last layer",
        "fault",
        ("opacus",),
        "The hidden state of every layer is dropped from at every step, before the next step "
        "starts from it; so is that of a single layer. So a value that the upper layer keeps is "
        "dropped from its output, and its two directions differ in what they drop.",
        """
import torch
from opacus.layers import DPLSTM

output, _ = DPLSTM(1, 100, dropout=0.5).train()(torch.ones(1, 1, 1))
print("of a single layer some are dropped:", bool((output == 0).any()))
""",
        "of a single layer some are dropped: True",
        f"{OPACUS}, dropout; the module's own warning says that it adds dropout after all but the "
        "last recurrent layer.",
        requirements=(
            "dropout_spares_a_single_layer",
            "full_dropout_cuts_layers_apart",
            "survivors_are_scaled",
            "dropout_rate_is_p",
            "dropped_values_pass_no_gradient",
            "dropout_acts_between_layers_only",
            "dropout_is_drawn_anew",
            "directions_read_the_same_mask",
            "process_state_is_left_alone",
            "gradients_have_the_mask_of_the_results",
            "large_networks_drop_everywhere",
        ),
    ),
    Finding(
        "Opacus ignores a parameter that is assigned",
        "fault",
        ("opacus",),
        "A parameter that is set as an attribute is replaced by the one before, without a word; "
        "in torch.nn.LSTM it takes effect. So none can be shared, and as each is an attribute "
        "under its name and no parameter, none can be parametrized.",
        """
import torch
from opacus.layers import DPLSTM

lstm, weight = DPLSTM(1, 1), torch.nn.Parameter(torch.ones(4, 1))
lstm.weight_ih_l0 = weight
print("is what was assigned:", lstm.weight_ih_l0 is weight)
""",
        "is what was assigned: False",
        f"{OPACUS}: DP-friendly drop-in replacement of torch.nn.LSTM.",
        requirements=(
            "changed_weights_take_effect",
            "shared_parameters_learn_together",
            "parametrized_weights_take_effect",
        ),
        saying=(
            "weights changed: as new parameters",
            "gradient of",
            "already has an attribute named",
        ),
    ),
    Finding(
        "Opacus orders its parameters otherwise",
        "undocumented",
        ("opacus",),
        "In its state_dict each bias follows its weight, where PyTorch has the weights first; the "
        "names are PyTorch's.",
        """
from opacus.layers import DPLSTM

print(*DPLSTM(1, 1).state_dict())
""",
        "weight_ih_l0 bias_ih_l0 weight_hh_l0 bias_hh_l0",
        f"{OPACUS}: DP-friendly drop-in replacement of torch.nn.LSTM.",
        requirements=("state_dict_is_as_documented",),
    ),
    Finding(
        "Opacus accepts num_layers=0",
        "undocumented",
        ("opacus",),
        "As it does other sizes that are not positive.",
        """
from opacus.layers import DPLSTM

print("accepted: num_layers", DPLSTM(1, 1, num_layers=0).num_layers)
""",
        "accepted: num_layers 0",
        f"{OPACUS}, num_layers: number of recurrent layers.",
        requirements=("sizes_that_are_not_positive_are_refused",),
    ),
)
