"""The results page: rows of Table 5.1, alignment and inverters → runs → figures → docs (§5.5).

python -m deepperformer.experiments --table alignment --source BACH-VIOLIN --budget-min 60    # the next missing runs
python -m deepperformer.experiments --render                                                  # the page of all runs
"""
