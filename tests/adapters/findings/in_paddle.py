"""Findings in PaddlePaddle."""

from tests.adapters.findings.finding import Finding

LAYER = "https://www.paddlepaddle.org.cn/documentation/docs/en/api/paddle/nn/LSTM_en.html"

FINDINGS = (
    Finding(
        "PaddlePaddle ends its process on a sequence without steps",
        "fault",
        ("paddle", "paddle-without-bias"),
        "SIGFPE in the kernel, which no caller can handle.",
        """
import paddle

paddle.nn.LSTM(1, 1)(paddle.zeros([1, 0, 1]))
""",
        "",
        f"{LAYER}, inputs: of shape [batch_size, time_steps, input_size]; there is no least size.",
        requirements=("empty_sequence_is_refused",),
    ),
    Finding(
        "PaddlePaddle ends its process where there are no biases",
        "fault",
        ("paddle-without-bias",),
        "The layer counts the frozen zeros that stand for the biases, takes itself for one with "
        "four parameters, and hands two to a kernel that reads four: a segmentation fault, or in "
        "both directions biases in place of the reverse weights.",
        """
import paddle

paddle.nn.LSTM(1, 1, bias_ih_attr=False, bias_hh_attr=False)(paddle.zeros([1, 1, 1]))
""",
        "",
        f"{LAYER}, bias_ih_attr and bias_hh_attr: the attributes of the biases of each cell, which "
        "the cell takes as False for none.",
    ),
    Finding(
        "PaddlePaddle's gradients are wrong with lengths and initial states in reverse",
        "fault",
        ("paddle",),
        "The gradient by weight_hh of the reverse direction is not that of the results: a central "
        "difference shows it. Without lengths, or from zero states, it is right.",
        """
import paddle

paddle.seed(0)
lstm = paddle.nn.LSTM(1, 1, direction="bidirect")
x, state, lengths = paddle.ones([2, 2, 1]), paddle.ones([2, 2, 1]), paddle.to_tensor([2, 1])


def loss():
    return lstm(x, (state, state), lengths)[0].sum()


loss().backward()
weight = lstm.weight_hh_l0_reverse
gradient, kept = weight.grad.sum().item(), weight.numpy()
with paddle.no_grad():
    values = []
    for step in (0.01, -0.01):
        weight.set_value(kept + step)
        values.append(loss().item())
difference = (values[0] - values[1]) / 0.02
print("gradient and difference agree to 1 %:", abs(gradient - difference) < 0.01 * abs(difference))
""",
        "gradient and difference agree to 1 %: False",
        f"{LAYER}, sequence_length: steps that are not less than the valid length are paddings.",
        requirements=(
            "gradients_match_backpropagation",
            "gradients_of_output_are_right",
            "gradients_of_h_n_are_right",
            "gradients_of_c_n_are_right",
            "gradients_pass_through_packed_batches",
            "gradients_of_deep_networks_are_right",
            "gradients_of_larger_batches_are_right",
            "gradients_of_wide_networks_are_right",
            "gradients_of_hundreds_of_rows_are_right",
            "gradients_of_long_sequences_are_right",
        ),
        saying=("gradient of ",),
    ),
    Finding(
        "PaddlePaddle makes NaN of an infinite state where there are lengths",
        "undocumented",
        ("paddle",),
        "It adds the new and the old state, one times 1 and one times 0. Beyond the length of a "
        "row the new one is multiplied by 0, and with a projection before that the old one.",
        """
import paddle

lstm = paddle.nn.LSTM(1, 1)
x, zero = paddle.zeros([2, 2, 1]), paddle.zeros([1, 2, 1])
c_0 = paddle.to_tensor([[[0.0], [float("inf")]]])
_, (h_n, c_n) = lstm(x, (zero, c_0), paddle.to_tensor([2, 1]))
print("c_n of the row that ended:", c_n[0, 1].item())
_, (h_n, c_n) = lstm(x[:, :1], (zero, c_0))
print("without lengths:", c_n[0, 1].item())
""",
        "c_n of the row that ended: nan\nwithout lengths: inf",
        f"{LAYER}, sequence_length: steps that are not less than the valid length are paddings.",
        requirements=("infinity_stays_in_its_row",),
        saying=("isinf(c_n)", "isinf(h_n)", "isfinite(h_n)"),
    ),
    Finding(
        "PaddlePaddle raises for a batch without rows",
        "undocumented",
        ("paddle",),
        "Which exception it is depends on the directions.",
        """
import paddle

try:
    paddle.nn.LSTM(1, 1)(paddle.zeros([0, 1, 1]))
except RuntimeError as error:
    print(error)
""",
        "Tensor holds no memory",
        f"{LAYER}, inputs: of shape [batch_size, time_steps, input_size]; there is no least size.",
        requirements=("empty_batch_gives_empty_results",),
    ),
    Finding(
        "PaddlePaddle goes on beyond the length of a row where there is a projection",
        "undocumented",
        ("paddle",),
        "Without a projection another implementation is used, whose output is zero there.",
        """
import paddle

for size in (0, 1):
    lstm = paddle.nn.LSTM(1, 2, proj_size=size)
    output, _ = lstm(paddle.ones([2, 2, 1]), None, paddle.to_tensor([1, 2]))
    zero = bool((output[0, 1] == 0).all())
    print(f"proj_size {size}: output beyond the length is zero: {zero}")
""",
        "proj_size 1: output beyond the length is zero: False",
        f"{LAYER}, sequence_length: steps not less than the valid length are paddings; what the "
        "output is there is not said.",
        requirements=("output_beyond_length_is_zero",),
    ),
    Finding(
        "PaddlePaddle broadcasts initial states where there is a projection",
        "fault",
        ("paddle",),
        "States of one row are taken for all rows, and a cell state of one unit for all units. "
        "Without a projection they are refused.",
        """
import paddle

lstm = paddle.nn.LSTM(1, 2, proj_size=1)
output, _ = lstm(paddle.ones([3, 2, 1]), (paddle.ones([1, 1, 1]), paddle.ones([1, 1, 2])))
print("three rows from the states of one:", output.shape[0])
""",
        "three rows from the states of one: 3",
        f"{LAYER}, initial_states: of shape [num_layers * num_directions, batch_size, "
        "hidden_size].",
        requirements=("wrong_state_batch_is_refused", "wrong_state_features_are_refused"),
        rare=True,
    ),
    Finding(
        "PaddlePaddle's weights have wrong names where there is a projection",
        "avoided",
        ("paddle",),
        "Four names are given to the first of every five parameters. The adapter goes by their "
        "order.",
        """
import paddle

lstm = paddle.nn.LSTM(3, 4, num_layers=2, proj_size=2)
print("weight_ih_l1:", tuple(lstm.weight_ih_l1.shape))
""",
        "weight_ih_l1: (4, 2)",
        f"{LAYER}, variables: weight_ih_l[k], the input-hidden weights of the k-th layer, here of "
        "shape (16, 2).",
    ),
)
