"""Tuning: options of a noun searched on stored records against ground truth, and what the search is honestly worth.

    stored = Stored()
    stored.read("detections.jsonl")
    sequences = labelled(read_truth(["gt/"]), stored.sources(), "mot15", print)
    space = make_space("vtk", ["high=0.2,0.3,0.4"])
    with Scorer(sequences, space, "HOTA", jobs=2) as scorer:
        tuning = tune(scorer, sampled(space, trials=100, seed=0))
    print(space.options(tuning.best), tuning.figures.mean(), tuning.held_out.mean())
"""
