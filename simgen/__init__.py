"""Generate events: decay files in, columnar truth out.

The public names are imported when they are first used, so that ``import simgen`` costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simgen.lazy import lazy_names

if TYPE_CHECKING:
    from simgen.decfile import describe_decays
    from simgen.errors import SimgenError
    from simgen.events import EventBlock
    from simgen.export import export_events
    from simgen.generation import generate, generate_event
    from simgen.io.contents import inspect
    from simgen.io.truth import iterate_events, read_event, read_events

__version__ = "0.1.0"

__all__ = [
    "EventBlock",
    "SimgenError",
    "__version__",
    "describe_decays",
    "export_events",
    "generate",
    "generate_event",
    "inspect",
    "iterate_events",
    "read_event",
    "read_events",
]

_HOME = {
    "EventBlock": "events",
    "SimgenError": "errors",
    "describe_decays": "decfile",
    "export_events": "export",
    "generate": "generation",
    "generate_event": "generation",
    "inspect": "io.contents",
    "iterate_events": "io.truth",
    "read_event": "io.truth",
    "read_events": "io.truth",
}

__getattr__, __dir__ = lazy_names(__name__, _HOME)
