"""Work that no request waits for: a thread for as long as there is any, in the app's context."""

import threading
from collections.abc import Callable
from typing import Any

from flask import current_app


def start(work: Callable[[], None], name: str) -> threading.Thread:
    """No daemon: a worker that is told to stop finishes what it began."""
    proxy: Any = current_app
    app = proxy._get_current_object()  # noqa: SLF001  (the thread has no context that the proxy could ask)

    def run() -> None:
        with app.app_context():
            work()

    thread = threading.Thread(target=run, name=f"authsvc: {name}")
    thread.start()
    return thread
