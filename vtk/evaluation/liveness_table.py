"""Figures of live faces and attacks as tables and as JSON; what is the literature's and not ISO's says so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from vtk.evaluation.liveness import FEW, Group, LivenessEvaluation, Rule
from vtk.evaluation.table import table
from vtk.liveness.presentations import Gathered

# What the rows of all are called; those of the literature last.
_ROWS = {"APCER": "APCER", "BPCER": "BPCER", "BPCER10": "BPCER at APCER 10 %", "BPCER20": "BPCER at APCER 5 %",
         "BPCER100": "BPCER at APCER 1 %", "unsure_live": "unsure of live", "accuracy": "accuracy",
         "ACER": "ACER (not ISO)", "HTER": "HTER (not ISO)", "EER": "EER (not ISO)", "AUC": "AUC (not ISO)"}
_TYPE = ("attacks", "APCER", "95 %", "unsure", "APNRR", "BPCER10", "BPCER20", "BPCER100", "EER", "AUC")
_LIVE = ("faces", "BPCER", "95 %", "unsure", "BPNRR")
_BY = ("live", "attacks", "APCER", "95 %", "BPCER", " 95 %", "unsure_live", "ACER", "AUC")
_UNITS = {"face": "faces", "face_track": "face tracks of videos",
          "mean of faces": "videos by the mean of their faces"}


def lines(evaluation: LivenessEvaluation, gathered: Gathered, rule: Rule, maker: str | None) -> list[str]:
    """Return what is printed of an evaluation."""
    out = [f"FACES by {maker or 'nobody'}: {_counted(gathered)}; {_ruled(gathered, rule)}"]
    if rule.same:
        out.append("The threshold was chosen on the very set that it is scored on: rates at it are too good.")
    attacks = {kind: {**group.figures, **_said(group, "APCER")} for kind, group in evaluation.attacks.items()}
    out += ["", *table("ATTACK", attacks, _TYPE)] if attacks else []
    live = evaluation.live.figures
    if live["live"] or "BPNRR" in live:
        row = {**live, "faces": int(live["live"]), **_said(evaluation.live, "BPCER")}
        out += ["", *table("LIVE", {"bona fide": row}, _LIVE)]
    rows = {_row(name, evaluation): {"percent": evaluation.whole.figures[name], **_said(evaluation.whole, name)}
            for name in _ROWS if name in evaluation.whole.figures}
    out += ["", *table("ALL", rows, ("percent", "95 %"))]
    if evaluation.by:
        by = {value + (" *" if value in evaluation.small else ""): {
            **group.figures, **_said(group, "APCER"), **_said(group, "BPCER", " 95 %")}
            for value, group in evaluation.by.items()}
        out += ["", *table("BY", by, _BY)]
        if evaluation.small:
            out.append(f"* fewer than {FEW} live faces, or attacks of a type: one error is more than 5 points")
    return out


def report(evaluation: LivenessEvaluation, gathered: Gathered, rule: Rule, maker: str | None) -> dict[str, Any]:
    """Return an evaluation as a JSON object: figures in percent with four decimals, intervals beside them."""
    pairs = _pairs(gathered) if rule.thresholds is None else {rule.thresholds}
    made: dict[str, Any] = {"maker": maker} if maker is not None else {}
    made |= {"answers": rule.said, "chosen_on_the_scored_set": rule.same,
             "presentations": dict(Counter(each.unit for each in gathered.presentations))}
    if len(pairs) == 1:
        made["thresholds"] = list(next(iter(pairs)))
    worst = {"APCER_type": evaluation.worst} if evaluation.worst is not None else {}
    return made | {
        "all": _json(evaluation.whole) | worst, "live": _json(evaluation.live),
        "attacks": {kind: _json(group) for kind, group in evaluation.attacks.items()},
        **({"by": {value: _json(group) | {"small": value in evaluation.small}
                   for value, group in evaluation.by.items()}} if evaluation.by else {}),
        "failed": len(gathered.failed), "missing": len(gathered.missing), "unlabelled": len(gathered.unlabelled),
        "notes": evaluation.notes}


def remarks(gathered: Gathered) -> list[str]:
    """Return what the figures do not show: what failed, is missing, or has no label."""
    out = []
    for what, names in (("labelled files could not be read and do not count", _names(gathered.failed)),
                        ("labelled files are not in the records and do not count", _names(gathered.missing)),
                        ("sources of the records have no label and are left out", gathered.unlabelled)):
        if names:
            out.append(f"{len(names)} {what}: {', '.join(names[:5])}{', …' if len(names) > 5 else ''}")
    if not gathered.ledgered:
        out.append("the records have no end records, so that it is not known where no face was found: APNRR and BPNRR "
                   "are left out")
    return out


def _names(labels: Iterable[Any]) -> list[str]:
    return [label.name for label in labels]


def _counted(gathered: Gathered) -> str:
    units = Counter(each.unit for each in gathered.presentations)
    return ", ".join(f"{count} {_UNITS[unit]}" for unit, count in units.items())


def _pairs(gathered: Gathered) -> set[tuple[float, float]]:
    return {each.seen.thresholds for each in gathered.presentations}


def _ruled(gathered: Gathered, rule: Rule) -> str:
    if rule.thresholds is not None:
        return rule.said
    pairs = sorted(_pairs(gathered))
    said = " or ".join(f"spoof below {below:g}, live from {start:g}" for below, start in pairs[:2])
    return f"{rule.said}, {said}{' and others' if len(pairs) > 2 else ''}"


def _row(name: str, evaluation: LivenessEvaluation) -> str:
    if name != "APCER":
        return _ROWS[name]
    return "APCER, worst type" + (f": {evaluation.worst}" if evaluation.whole.figures[name] else "")


def _said(group: Group, name: str, column: str = "95 %") -> dict[str, str]:
    spread = group.spread.get(name)
    return {} if spread is None else {column: f"{spread[0]:.1f}–{spread[1]:.1f}"}


def _json(group: Group) -> dict[str, Any]:
    figures: dict[str, Any] = {name: round(value, 4) for name, value in group.figures.items()}
    spread = {name: [round(low, 4), round(high, 4)] for name, (low, high) in group.spread.items()}
    return figures | ({"interval": spread} if spread else {})
