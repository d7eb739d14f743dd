"""The tutorial of an LSTM: one cell, then cells stacked to a network; ``tutorial.ipynb`` leads."""
