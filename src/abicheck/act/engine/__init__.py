"""Docker or Podman, whichever is there, behind one interface: images, and programs that run in them behind limits."""

from abicheck.act.engine.engine import Engine
from abicheck.act.engine.values import Completed, Limits, Pulled

__all__ = ["Completed", "Engine", "Limits", "Pulled"]
