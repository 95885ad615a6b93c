"""The data set of a C-STORE goes to a file while it arrives, so that no object is ever held whole in memory.

The library can do so for the whole process (STORE_RECV_CHUNKED_DATASET), in the folder for temporary files, and leaves the
file behind when the peer goes away in the middle. Here every listener says where, nothing of a cut object stays, and a full
disk becomes an answer instead of the end of the connection's thread.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import suppress
from typing import Any, BinaryIO

from integrations.foreign import malformed

Draft = Callable[[], BinaryIO]
"""Makes an empty file to write into and read from, which is gone when it is closed."""


class Spool(io.BytesIO):
    """Stands where the library has a buffer in memory. `file` is the Part-10 object, None while nothing came.

    `problem` is why it could not be written: no room (OSError), or identifiers that fit into no file meta information.
    """

    def __init__(self, message: Any, assoc: Any, draft: Draft) -> None:
        super().__init__()
        self.file: BinaryIO | None = None
        self.problem: Exception | None = None
        self._message, self._assoc, self._draft = message, assoc, draft

    def write(self, piece: Any) -> int:
        """Take the next piece; what comes after a problem is dropped."""
        if self.problem is None:
            try:
                if self.file is None:
                    self.file = self._draft()
                    self.file.write(self._head())
                self.file.write(piece)
            except malformed() as problem:  # OSError is among them
                self.problem = problem
        return len(piece)

    def whole(self) -> BinaryIO | None:
        """The file from its beginning; None without one. Raises what stood in the way of writing it, when that was the disk."""
        if isinstance(self.problem, OSError):
            raise self.problem
        if self.file is None or self.problem is not None:
            return None
        self.file.flush()
        self.file.seek(0)
        return self.file

    def end(self) -> None:
        """Let go of the file."""
        if self.file is not None:
            with suppress(OSError):  # what could not be written before cannot be now
                self.file.close()

    def _head(self) -> bytes:
        """Preamble, mark and file meta information, as the library writes them."""
        from pynetdicom.dsutils import create_file_meta, encode_file_meta

        command, context = self._message.command_set, self._message.context_id
        syntax = next(c.transfer_syntax[0] for c in self._assoc.accepted_contexts if c.context_id == context)
        meta = create_file_meta(
            sop_class_uid=command.AffectedSOPClassUID,
            sop_instance_uid=command.AffectedSOPInstanceUID,
            transfer_syntax=syntax,
        )
        return b"\0" * 128 + b"DICM" + encode_file_meta(meta)


def begin(draft: Draft) -> Callable[[Any], None]:
    """A handler of EVT_REQUESTED: what this association sends is spooled."""

    def prepare(event: Any) -> None:
        from pynetdicom.dimse_messages import DIMSEMessage

        dimse = event.assoc.dimse
        receive = dimse.receive_primitive

        def receive_spooled(primitive: Any) -> None:
            if dimse.message is None:
                dimse.message = DIMSEMessage()
                dimse.message.data_set = Spool(dimse.message, event.assoc, draft)
            receive(primitive)

        dimse.receive_primitive = receive_spooled

    return prepare


def cut(event: Any) -> None:
    """A handler of EVT_CONN_CLOSE: what came of an object whose end will never come is let go."""
    message = event.assoc.dimse.message
    if message is not None and isinstance(message.data_set, Spool):
        message.data_set.end()
