"""Lines from whoever sits at the terminal, read without holding up anybody else and without keeping a process alive."""

from __future__ import annotations

import asyncio
import os
import sys


class Terminal:
    """Standard input, line by line, for all people at one terminal.

    No thread waits for a key: an interrupt stops the wait at once. What was typed ahead is kept for the next question.
    """

    def __init__(self) -> None:
        self._typed = b""
        self._ended = False

    async def __call__(self, prompt: str) -> str:
        """The next line, without its end.

        Raises:
            EOFError: there is no next line.
        """
        print(prompt, end="", flush=True)
        while b"\n" not in self._typed and not self._ended:
            part = await self._read(sys.stdin.fileno())
            self._ended = not part
            self._typed += part
        if not self._typed:
            self._ended = False  # a terminal can be typed at again after Ctrl-D
            raise EOFError
        line, _, self._typed = self._typed.partition(b"\n")
        return line.decode("utf-8", errors="replace").removesuffix("\r")

    async def _read(self, handle: int) -> bytes:
        loop = asyncio.get_running_loop()
        ready: asyncio.Future[None] = loop.create_future()
        try:
            loop.add_reader(handle, _tell, ready)
        except (PermissionError, NotImplementedError):  # a plain file never makes anybody wait
            return os.read(handle, 65536)
        try:
            await ready
        finally:
            loop.remove_reader(handle)
        return os.read(handle, 65536)


def _tell(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)


read_line = Terminal()
"""The terminal of this process."""
