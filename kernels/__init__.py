"""Array functions that know no video and no records, one folder per family.

A family is a folder with five modules: ``__init__`` holds the contract and the checks and dispatches to ``reference``
(as the paper says it), ``cpu`` (Numba) or ``gpu`` (Triton); ``cases`` says on what they are tested and timed. Tests and
benchmark find a family by its ``cases``, so a new one needs no edit elsewhere but in pyproject's list of packages.
"""
