"""What the network sees: spectrograms on a logarithmic grid, and vectors of queries."""
