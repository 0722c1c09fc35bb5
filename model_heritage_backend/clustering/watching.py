"""How long the stages of a solution take, for whoever wants to know."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from typing import Any, Protocol, TypeVar, cast

Watch = Callable[[str, float], None]
"""Called with the name of a stage, ``clustering`` or ``lineage``, and its seconds."""
Method = TypeVar("Method", bound=Callable[..., Any])


class Watched(Protocol):
    watch: Watch


def watch_nobody(stage: str, seconds: float) -> None:
    """Nobody wants to know."""


def watched(stage: str) -> Callable[[Method], Method]:
    """Tell ``self.watch`` how long a method takes."""

    def wrap(method: Method) -> Method:
        @wraps(method)
        def measure(self: Watched, *arguments: Any, **options: Any) -> Any:
            began = time.perf_counter()
            try:
                return method(self, *arguments, **options)
            finally:
                self.watch(stage, time.perf_counter() - began)

        return cast("Method", measure)

    return wrap
