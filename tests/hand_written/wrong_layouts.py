"""Wrong choices of rows and steps, after a head."""

from torch import nn

from tests.hand_written.layouts import ByHand


class LastRowOfScores(ByHand):
    """Takes rows (N, T, D), and the last row of the scores (T, N, K) for the last step."""

    def forward(self, x):
        return self.fc(self.steps(x.permute(1, 0, 2)))[:, -1]


class LastRowOfRows(ByHand):
    """Takes rows (N, T, D), and the last row of the scores (N, T, K) for the last step."""

    def forward(self, x):
        return self.fc(self.steps(x.permute(1, 0, 2)).permute(1, 0, 2))[-1]


class LacksBatchFirst(nn.Module):
    """Chooses the last step as if its LSTM took rows first."""

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.lstm = nn.LSTM(input_size, hidden_size)
        self.fc = nn.Linear(hidden_size, 10)

    def forward(self, x):
        output, _ = self.lstm(x)
        return self.fc(output)[:, -1].softmax(1)


class FirstStepOfScores(ByHand):
    """Takes rows (N, T, D), and the first step of the scores."""

    def forward(self, x):
        return self.fc(self.steps(x.permute(1, 0, 2)))[0]


class ReshapesTheScores(ByHand):
    """Makes rows of what the head takes by a reshape."""

    def forward(self, x):
        output = self.steps(x.permute(1, 0, 2))
        return self.fc(output.reshape(len(x), -1, self.hidden_size))


class ViewsTheScores(ByHand):
    """Takes steps (T, N, D), and views the scores (T * N, K) as if rows came first."""

    def forward(self, x):
        scores = self.fc(self.steps(x).reshape(-1, self.hidden_size))
        return scores.view(x.size(1), x.size(0), -1)
