"""The results page: rows of the paper's tables and of ours → runs → figures → docs (§3.4).

python -m mmt.experiments --table models --data FOLDER --budget-min 60     # the next missing runs
python -m mmt.experiments --render                                         # docs/mmt/results.md from all runs
"""
