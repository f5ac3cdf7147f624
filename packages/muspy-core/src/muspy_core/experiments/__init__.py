"""The cross-dataset generalisability experiments of the dissertation's §2.5 (needs the extra `experiments`).

In reading order: corpora (data sets → events) → data → model → training → loading → evaluate → rows → __main__, the
runner that makes one row of a table at a time; fit trains one model by a configuration of `configs/`.
"""
