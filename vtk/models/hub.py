"""Files of the Hugging Face hub: where they lie on this machine, and how they come."""

from __future__ import annotations

import os
from pathlib import Path

from vtk.errors import WeightsError
from vtk.models import zoo
from vtk.models.recipe import HubFile
from vtk.models.weights import at_hand, home, is_offline, mirror_url

# Of timm's repositories.
CONFIG, TENSORS = "config.json", "model.safetensors"


def locate(file: HubFile, revision: str | None = None) -> Path | None:
    """Return where ``file`` lies here, or None: as OWNER/NAME/FILE in the cache or a mirror folder, or the hub's cache.

    The network is not used. A ``revision`` other than the main branch is looked for in the hub's cache alone.
    """
    own = _own(file) if revision is None else None
    if own is not None:
        return own
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        found = try_to_load_from_cache(file.repository, file.name, revision=revision, repo_type=_kind(file))
    except HFValidationError:
        return None
    return Path(found) if isinstance(found, str) else None


def _own(file: HubFile) -> Path | None:
    """Return where ``file`` lies in our cache or a mirror folder."""
    folders = [home() / "weights"]
    if os.environ.get("VTK_MIRROR") and not mirror_url():
        folders.append(Path(os.environ["VTK_MIRROR"]).expanduser())
    paths = [folder / file.repository / file.name for folder in folders]
    return next((path for path in paths if path.is_file()), None)


def _kind(file: HubFile) -> str | None:
    return "dataset" if file.dataset else None


def fetch(model: str, file: HubFile, offline: bool, revision: str | None = None) -> Path:
    """Return ``file``, out of our cache, a mirror folder or the hub's cache, or from the hub where its is newer.

    Args:
        model: whose it is, for the message.
        file: what is wanted.
        offline: never use the network.
        revision: of the repository; None is its main branch.

    Raises:
        WeightsError: E_OFFLINE, it cannot be had.
    """
    own = _own(file) if revision is None else None
    if own is not None:
        return own
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    alone = is_offline(offline)
    try:
        return Path(hf_hub_download(file.repository, file.name, revision=revision, local_files_only=alone,
                                    repo_type=_kind(file)))
    except (HfHubHTTPError, HFValidationError, OSError, ValueError) as error:
        why = "the network is off" if alone else " ".join(str(error).split())[:160]
        raise WeightsError(f"{model}: {file.name} of {file.repository} is not at hand: {why}; one run with the network "
                           "brings it, or give a file of your own with --weights", code="E_OFFLINE") from error


def pulled(name: str) -> bool:
    """Return whether a model is on this machine whole, without asking the network; an unknown name is not.

    Args:
        name: of the table, or ``timm:NAME``; of the latter config and weights in the repository that timm has it in
            are looked for, ``timm/NAME``, or OWNER/NAME where that is given.
    """
    prefix, _, network = name.partition(":")
    if prefix == "timm" and network:
        repository, _, revision = (network if "/" in network else f"timm/{network}").partition("@")
        return all(locate(HubFile(repository, file), revision or None) for file in (CONFIG, TENSORS))
    return name in zoo.MODELS and at_hand(zoo.MODELS[name])
