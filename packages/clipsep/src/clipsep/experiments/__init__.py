"""The results page: rows of chapter 6's tables → runs → figures → docs.

python -m clipsep.experiments --table shift --budget-min 60     # the next missing runs
python -m clipsep.experiments --render                          # docs/clipsep/results.md from all runs
"""
