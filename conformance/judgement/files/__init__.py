"""Reading of the files of others: weights, inputs, results. Files are data; nothing is executed."""
