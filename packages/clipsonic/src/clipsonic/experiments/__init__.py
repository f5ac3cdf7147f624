"""The results page: sounds rendered from scores → trainings → generated sounds → figures → docs (chapter 7).

python -m clipsonic.experiments --table instruments --source SCORES --budget-min 60    # the next missing rows
python -m clipsonic.experiments --render                                 # docs/clipsonic/results.md from all rows
"""
