"""A verdict on a given LSTM: its weights and an input are given, and results are judged."""
