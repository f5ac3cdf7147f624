"""The results page: rows of the paper's tables → runs → figures → docs (§4.7).

python -m arranger.experiments --table bach --budget-min 60     # the next missing runs
python -m arranger.experiments --render                         # docs/arranger/results.md from all runs
python -m arranger.experiments --examples                       # and its pictures of test pieces
"""
