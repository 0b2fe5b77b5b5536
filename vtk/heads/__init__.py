"""Heads: linear classifiers of a user's own labels, fitted in closed form on the vectors that an embedder makes.

    features = load_features("mobilenet", views=("whole", "flips"))
    pictures = read_labelled(Path("pictures"))                     # pictures/beach/…, pictures/forest/…, or a csv
    head = fit_head(features.of(pictures), [each.label for each in pictures], features)
    write(head, Path("head.npz"))
"""

from vtk.heads.features import Features, load_features
from vtk.heads.fitting import Fit, fit_head
from vtk.heads.head import Head, read, write
from vtk.heads.labelled import Labelled, read_labelled, taken

__all__ = ["Features", "Fit", "Head", "Labelled", "fit_head", "load_features", "read", "read_labelled", "taken",
           "write"]
