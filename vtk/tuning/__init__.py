"""Tuning: options of a noun searched on stored records against ground truth, and what the search is honestly worth.

    space = make_space("vtk", ["high=0.2,0.3,0.4"])
    with Scorer(sequences, space, "HOTA", jobs=2) as scorer:
        tuning = tune(scorer, sampled(space, trials=100, seed=0))
    print(tuning.best, tuning.mean(tuning.best), tuning.held_out)
"""
