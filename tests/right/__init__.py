"""Right LSTMs, each written in another way that is as good as PyTorch's, which must pass."""
