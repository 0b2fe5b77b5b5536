"""What is said of a thing that was looked at: the keys of a ``species`` record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np

from vtk.records import Record, score
from vtk.species.groups import GROUPS
from vtk.species.knowing import Judged, Knowledge
from vtk.species.names import RANKS
from vtk.species.routing import NONE, Looks, Panel
from vtk.species.whereabouts import Whereabouts

NOT_COVERED = "not covered"
# Said of every answer about these, whatever it is. It is short, and it is never left away.
STANDING: Mapping[str, str] = MappingProxyType({
    "snake": "no answer says that a snake is harmless: keep away, and after a bite get medical help at once",
    "fungus": "no answer says that a mushroom can be eaten: ask an expert who holds it in the hand",
})
# Names of taxa by which a model that knows them says itself that it is about a snake or a fungus.
_TAXA: Mapping[str, frozenset[str]] = MappingProxyType({
    "snake": frozenset({"Serpentes", "Viperidae", "Elapidae", "Colubridae", "Lamprophiidae", "Pythonidae", "Boidae",
                        "Natricidae", "Dipsadidae", "Psammophiidae", "Atractaspididae", "Homalopsidae"}),
    "fungus": frozenset({"Fungi", "Agaricomycetes", "Pezizomycetes", "Leotiomycetes", "Sordariomycetes",
                         "Lecanoromycetes", "Dacrymycetes", "Tremellomycetes"}),
})
# Probability of a group from which on its standing note is given: it costs nothing where it was not needed.
_NOTED = 0.1
# Species in a set beyond which none is named: nothing is told by it.
_MANY = 40


class Teller:
    """Says what looks show.

    Args:
        panel: the router and the models.
        knowledge: of the species of each model.
        least: probability of a group from which on its model answers.
        topk: how many species are named.
    """

    def __init__(self, panel: Panel, knowledge: Sequence[Knowledge], least: float, topk: int) -> None:
        self._panel, self._knowledge, self._least, self._topk = panel, tuple(knowledge), least, topk

    def tell(self, looks: Looks, where: Whereabouts, notes: Sequence[str] = ()) -> list[Record]:
        """Return the keys of each record on what was looked at: one for each model whose group is shown.

        Where no model knows what is shown there is one that is not covered, with the group and without a label.

        Args:
            looks: at least one.
            where: where and when it was filmed.
            notes: what else there is to say.
        """
        groups = looks.groups
        made = []
        for number, (expert, known) in enumerate(zip(self._panel.experts, self._knowledge, strict=True)):
            scores = looks.scores(number)
            if scores is not None and float(expert.knows(groups)) >= self._least:
                group = looks.group
                if expert.covers is not None and group not in expert.covers:
                    group = max(sorted(expert.covers), key=lambda name: groups[GROUPS.index(name)])
                judged = known.judge(scores, where)
                name = known.names[judged.best]
                unheard = known.deaf(where)
                if not unheard and name in known.missing:
                    unheard = f"the range table knows nothing of {name}"
                made.append(self._answered(known, judged, group, groups, [*notes, *filter(None, [unheard])]))
        if not made:
            known = any(looks.group in (expert.covers or ()) for expert in self._panel.experts)
            made.append(_uncovered(looks.group, groups, notes, known))
        return [{**keys, **_placed(where)} for keys in made]

    def _answered(self, known: Knowledge, judged: Judged, group: str, groups: np.ndarray,
                  notes: Sequence[str]) -> Record:
        order = np.argsort(-judged.probabilities, kind="stable")[:self._topk]
        keys: Record = {"topk": [{"label": known.names[row], "score": score(judged.probabilities[row])}
                                 for row in order]}
        taxon: dict[str, str] = {}
        if (answer := judged.answer) is not None:
            taxon = known.taxon(answer.name, answer.rank)
            keys |= {"label": answer.name, "score": score(answer.probability), "rank": answer.rank, "taxon": taxon}
            if answer.rank == RANKS[0] and (common := known.common[judged.best]):
                keys["common"] = common
        else:
            notes = [*notes, "unsure: no species, genus or what is above it is sure enough"]
        keys |= {"group": group, "group_score": score(groups[GROUPS.index(group)]), "covered": True}
        if judged.adjusted:
            keys["adjusted_by"] = ",".join(judged.adjusted)
        if judged.cost is not None:
            keys["cost"] = round(judged.cost, 4)
        if judged.candidates is not None and known.sets is not None:
            keys["coverage"] = known.sets.coverage
            within = [row for row in np.argsort(-judged.probabilities, kind="stable") if judged.candidates[row]]
            if len(within) <= _MANY:
                keys["candidates"] = [{"label": known.names[row], "score": score(judged.probabilities[row])}
                                      for row in within]
            else:
                notes = [*notes, f"the set has {len(within)} species: next to nothing is known"]
        above = {name for row in order for name in known.taxonomy.path(known.names[row])}
        return _noted(keys, groups, notes, above | set(taxon.values()))


def _uncovered(group: str, groups: np.ndarray, notes: Sequence[str], known: bool) -> Record:
    """Return what is said where no model knows the group, or one is ``known`` that does and the group is not sure."""
    said = (f"{NOT_COVERED}: nothing living is seen" if group == NONE
            else f"{NOT_COVERED}: that it is of the group {group} is not sure enough" if known else NOT_COVERED)
    keys: Record = {"topk": [], "group": group, "group_score": score(groups[GROUPS.index(group)]), "covered": False}
    return _noted(keys, groups, (said, *notes), set())


def _noted(keys: Record, groups: np.ndarray, notes: Sequence[str], taxa: set[str]) -> Record:
    """Return the keys with what has to be said besides."""
    standing = [text for name, text in STANDING.items()
                if groups[GROUPS.index(name)] >= _NOTED or taxa & _TAXA[name]]
    if said := "; ".join((*notes, *standing)):
        keys["note"] = said
    return keys


def _placed(where: Whereabouts) -> Record:
    """Return where and when it was filmed, as far as that is known."""
    keys: Record = {}
    if where.latitude is not None and where.longitude is not None:
        keys |= {"latitude": round(where.latitude, 6), "longitude": round(where.longitude, 6)}
    if where.country:
        keys["country"] = where.country
    if where.day is not None:
        keys["date"] = where.day.isoformat()
    if where.observation:
        keys["observation"] = where.observation
    return keys
