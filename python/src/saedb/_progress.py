"""How far a long call is: a line on a terminal, a bar in a notebook, and nothing elsewhere."""

from __future__ import annotations

import html
import os
import sys
import time
from typing import Any, Mapping, Optional

shown: Optional[bool] = None

#: Seconds before anything is shown.
PATIENCE = 0.7


def show_progress(show: Optional[bool] = None) -> None:
    """Says whether long calls show how far they are: ``True``, ``False``, or ``None``, the default, for
    on a terminal and in a notebook. The environment's ``SAEDB_PROGRESS``, ``0`` or ``1``, says the same."""
    global shown
    shown = show


class Bar:
    """Shows the progress of one call."""

    def __init__(self) -> None:
        setting = {"0": False, "1": True}.get(os.environ.get("SAEDB_PROGRESS", "")) if shown is None else shown
        self.display = None if setting is False else notebook()
        self.terminal = setting is not False and self.display is None and (setting is True or sys.stderr is not None and sys.stderr.isatty())
        self.begun, self.handle, self.width = time.monotonic(), None, 0

    def show(self, at: Optional[Mapping[str, Any]]) -> None:
        """Shows how far the work is, unless it has just begun."""
        if at is None or time.monotonic() - self.begun < PATIENCE:
            return
        text = described(at)
        if self.display is not None:
            done = f' value="{at["done"]}" max="{at["total"]}"' if at["total"] > 0 and at["done"] > 0 else ""
            page = self.display.HTML(f"<progress{done}></progress> <small>{html.escape(text)}</small>")
            if self.handle is None:
                self.handle = self.display.display(page, display_id=True)
            else:
                self.handle.update(page)
        elif self.terminal:
            print("\r" + text.ljust(self.width), end="", file=sys.stderr, flush=True)
            self.width = len(text)

    def end(self) -> None:
        """Takes away what was shown."""
        if self.handle is not None and self.display is not None:
            self.handle.update(self.display.HTML(""))
        elif self.width:
            print("\r" + " " * self.width + "\r", end="", file=sys.stderr, flush=True)


def described(at: Mapping[str, Any]) -> str:
    """One line: what, how much of how many, and the part of all."""
    done, total, unit = at["done"], at["total"], at["unit"]
    if unit == "bytes":
        return f"{at['what']}: {done / 1e6:.1f} of {total / 1e6:.1f} MB"
    if total <= 0:
        return f"{at['what']}: {done:,} {unit}" if done else f"{at['what']} …"
    if not done:
        return f"{at['what']}: {total:,} {unit} …"
    return f"{at['what']}: {done:,} of {total:,} {unit}, {100 * done // total} %"


def notebook() -> Any:
    """IPython's display, in a kernel of Jupyter's; None elsewhere."""
    shell = sys.modules.get("IPython")
    if shell is None or getattr(shell.get_ipython(), "kernel", None) is None:
        return None
    from IPython import display

    return display
