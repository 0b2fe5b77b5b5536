"""The models behind ``vtk classify-species``: which are meant, what makes a panel of them, and what each knows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vtk.errors import UsageError
from vtk.heads.classifier import load_head
from vtk.heads.features import load_features
from vtk.heads.head import read as read_head
from vtk.heads.running import features_of
from vtk.models.classifier import Classifier, load_classifier, model_name
from vtk.models.ensemble import load_ensemble
from vtk.models.hub import pulled
from vtk.models.runtime import RuntimeOptions
from vtk.models.views import check_views
from vtk.species.groups import GROUPS
from vtk.species.knowing import Given, Knowledge, read_table
from vtk.species.routing import COVERS, ROUTER, Expert, Panel

AUTO = "auto"
# What ``auto`` means: the first of the large networks that the user fetched, which know all groups; else small ones that
# together know two. Large ones are never fetched unasked: each is a gigabyte, and its licence is not for all.
LARGE = ("inat21-eva02-large", "inat21-vit-large", "inat21-convnext-large")
SMALL = ("inat-birds", "inat-insects")


@dataclass(frozen=True, slots=True)
class Asked:
    """Which models are asked, and how.

    Attributes:
        models: names; those of the same groups are averaged, those of different ones stand side by side.
        weights, labels: files for the one model, in place of its own.
        head: a file of ``vtk scene fit-head`` in place of models.
        covers: groups that the models know species of; empty: as the table of models has it.
        views: what is looked at of a picture.
        runtime: where the networks run.
    """

    models: tuple[str, ...] = SMALL
    weights: Path | None = None
    labels: Path | None = None
    head: Path | None = None
    covers: frozenset[str] = frozenset()
    views: tuple[str, ...] = ("whole",)
    runtime: RuntimeOptions = RuntimeOptions()

    def check(self) -> None:
        """Raise UsageError where a name is unknown, or options do not go together."""
        if unknown := sorted(self.covers - set(GROUPS)):
            raise UsageError(f"--covers {unknown[0]}: there is {', '.join(GROUPS)}")
        if self.head is not None and (self.weights is not None or self.labels is not None or self.models != SMALL):
            raise UsageError("--head has a network and labels of its own: leave --model, --weights and --labels away")
        if (self.weights is not None or self.labels is not None) and len(self.models) > 1:
            raise UsageError(f"--weights and --labels are of one model, and {len(self.models)} are named: give one "
                             "--model")
        for name in self.models:
            model_name(name, self.weights)
        check_views(self.views)

    @property
    def name(self) -> str:
        """The models' names as records have them."""
        if self.head is not None:
            return self.head.stem
        return "+".join(model_name(name, self.weights) for name in self.models)


def read_models(text: str) -> tuple[str, ...]:
    """Return the names in ``--model``; ``auto`` is what is on this machine, else what there is for everyone.

    Raises:
        UsageError: there is none, or one comes twice.
    """
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    if not names or len(set(names)) < len(names):
        raise UsageError(f"--model '{text}': give one name or several, each once, such as inat-birds,inat-insects")
    if names != (AUTO,):
        return names
    return next(((name,) for name in LARGE if pulled(name)), SMALL)


def load_panel(asked: Asked) -> Panel:
    """Return the router and the models, weights fetched where they are missing.

    Raises:
        UsageError: models of the same groups have different labels.
        WeightsError: weights cannot be had.
    """
    router = load_classifier(ROUTER, runtime=asked.runtime)
    if asked.head is not None:
        head = read_head(asked.head)
        features = load_features(features_of(head), views=head.views, runtime=asked.runtime)
        return Panel(router, [Expert(load_head(asked.head, features), asked.covers or None)])
    groups: dict[frozenset[str] | None, list[str]] = {}
    for name in asked.models:
        covers = COVERS.get(name) if asked.weights is None else None
        groups.setdefault(asked.covers or covers, []).append(name)
    return Panel(router, [Expert(_classifier(names, asked), covers) for covers, names in groups.items()])


def _classifier(names: Sequence[str], asked: Asked) -> Classifier:
    if asked.weights is None and asked.labels is None:
        return load_ensemble(names, asked.views, asked.runtime)
    from vtk.models.ensemble import Viewed

    found = load_classifier(names[0], asked.weights, asked.labels, asked.runtime)
    return found if asked.views == ("whole",) else Viewed(found, asked.views)


def load_knowledge(panel: Panel, given: Given) -> tuple[Knowledge, ...]:
    """Return what is known of the species of each model of a panel.

    Costs, counts and a range table are for the models that have species in them; at least one has to.

    Raises:
        UsageError: a file is not what it should be, or is about none of the species.
    """
    given.check()
    table = read_table(given)
    if given.sets is not None and len(panel.experts) > 1:
        raise UsageError("--calibration is of one model, and several are asked: give one --model")
    found: list[Knowledge] = []
    refused: list[UsageError] = []
    for expert in panel.experts:
        model = f"{expert.classifier.name}@{expert.classifier.sha256[:12]}"
        try:
            found.append(Knowledge(expert.classifier.labels, model, given, table))
        except UsageError as error:
            refused.append(error)
            plain = Given(sure=given.sure, taxonomy=given.taxonomy)
            found.append(Knowledge(expert.classifier.labels, model, plain))
    if len(refused) == len(panel.experts):
        raise refused[0]
    return tuple(found)
