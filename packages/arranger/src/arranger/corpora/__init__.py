"""Readers of the corpora, one module for each kind: files → pieces (§4.5.1, Table 4.1)."""
