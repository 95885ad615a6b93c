"""MLLP on real sockets: several frames, junk, slow and dead peers."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any

import hl7
import pytest

from integrations import Outcome, OutcomeClass
from integrations.hl7 import Client, FakeClient, Hl7Sender, Listener, ListenerSettings, ack, mllp, parse

NOW = datetime(2026, 11, 24, tzinfo=UTC)


def _message(number: int) -> bytes:
    return f"MSH|^~\\&|A|B|C|D|1||ADT^A04|{number}|P|2.5.1\rPID|1||X||王\r".encode()


@pytest.fixture
def heard() -> list[bytes]:
    return []


@pytest.fixture
def listener(heard: list[bytes]) -> Iterator[Listener]:
    def accept(raw: bytes, _peer: str) -> bytes:
        heard.append(raw)
        code = {"9": "AR", "8": "AE"}.get(parse(raw).control_id, "AA")
        return ack(parse(raw), code, control_id="K", now=NOW, text="no")

    made = Listener(ListenerSettings(port=0, limit=1_000_000), accept)
    made.start()
    yield made
    made.stop()


def _answers(line: socket.socket, count: int) -> bytes:
    got = b""
    while got.count(b"\x1c\r") < count:
        got += line.recv(65536)
    return got


def test_many_frames_in_pieces_with_junk_between(listener: Listener, heard: list[bytes]) -> None:
    stream = b"junk".join(b"\x0b" + _message(n) + b"\x1c\r" for n in range(3))
    with socket.create_connection(("127.0.0.1", listener.port)) as line:
        for i in range(0, len(stream), 7):
            line.sendall(stream[i : i + 7])
        got = _answers(line, 3)
    assert heard == [_message(n) for n in range(3)]
    assert got.count(b"MSA|AA|") == 3


def test_a_frame_without_end_closes_only_that_connection(listener: Listener) -> None:
    with socket.create_connection(("127.0.0.1", listener.port)) as line:
        try:
            line.sendall(b"\x0b" + b"x" * 2_000_000)
            assert line.recv(10) == b""
        except OSError:
            pass
    assert Client().send("127.0.0.1", listener.port, _message(1)).ok


def test_a_foreign_engine_talks_to_us(listener: Listener) -> None:
    from hl7.client import MLLPClient

    with MLLPClient("127.0.0.1", listener.port) as client:
        answer = client.send_message(_message(5).decode())
    assert str(hl7.parse(answer.decode().strip("\x0b\x1c\r") + "\r").segment("MSA")[1]) == "AA"


def test_outcomes_are_classed(listener: Listener) -> None:
    client: Hl7Sender = Client(answer_seconds=0.3)
    kinds = [client.send("127.0.0.1", listener.port, _message(n)).kind for n in (1, 8, 9)]
    assert kinds == [OutcomeClass.OK, OutcomeClass.TRANSIENT, OutcomeClass.PERMANENT]


def test_dead_slow_and_wrong_answers_are_transient() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        port = server.getsockname()[1]
        assert Client(connect_seconds=0.3).send("127.0.0.1", port, _message(1)).code == "unreachable"
        server.listen()
        assert Client(answer_seconds=0.2).send("127.0.0.1", port, _message(1)).code == "timeout"
        server.accept()[0].close()

        def wrong() -> None:
            with server.accept()[0] as line:
                line.recv(65536)
                other = ack(parse(_message(77)), "AA", control_id="K", now=NOW)
                line.sendall(b"\x0b" + other + b"\x1c\r")

        thread = threading.Thread(target=wrong)
        thread.start()
        assert Client(answer_seconds=2).send("127.0.0.1", port, _message(1)).code == "closed"
        thread.join()


@pytest.fixture(params=["mllp", "fake"])
def sender(request: pytest.FixtureRequest, listener: Listener) -> Callable[[int], Outcome]:
    """Sends message n: 8 is answered AE, 9 AR, any other AA."""

    def send(number: int) -> Outcome:
        code = {8: "AE", 9: "AR"}.get(number, "AA")
        client: Hl7Sender = Client() if request.param == "mllp" else FakeClient(code)
        return client.send("127.0.0.1", listener.port, _message(number))

    return send


@pytest.mark.parametrize(
    ("number", "kind", "code"),
    [(1, OutcomeClass.OK, "AA"), (8, OutcomeClass.TRANSIENT, "AE"), (9, OutcomeClass.PERMANENT, "AR")],
)
def test_every_sender_keeps_the_contract(
    sender: Callable[[int], Outcome], number: int, kind: OutcomeClass, code: str
) -> None:
    first, again = sender(number), sender(number)
    assert (first.kind, first.code, again.kind) == (kind, code, kind)
    assert parse(first.raw)["MSA-2"] == str(number)


# -- strangers --------------------------------------------------------------------------------------------------------
def _refuse(raw: bytes, peer: str) -> bytes:
    return ack(parse(raw), "AE", control_id="K", now=NOW, text=f"{peer} is not entered")


@contextmanager
def _guarded(known: Callable[[str], bool], heard: list[bytes], **settings: Any) -> Iterator[Listener]:
    def accept(raw: bytes, _peer: str) -> bytes:
        heard.append(raw)
        return ack(parse(raw), "AA", control_id="K", now=NOW)

    made = Listener(ListenerSettings(port=0, **settings), accept, known, _refuse)
    made.start()
    try:
        yield made
    finally:
        made.stop()


def test_a_stranger_is_told_and_nothing_of_him_is_kept(heard: list[bytes], caplog: pytest.LogCaptureFixture) -> None:
    with _guarded(lambda _address: False, heard) as listener:
        for _ in range(3):
            with socket.create_connection(("127.0.0.1", listener.port), timeout=10) as line:
                line.sendall(b"\x0b" + _message(1) + b"\x1c\r\x0b" + _message(2) + b"\x1c\r")
                got = b""
                while part := line.recv(65536):
                    got += part
            assert got.count(b"MSA|AE|1|127.0.0.1 is not entered") == got.count(b"MSA|") == 1
    assert heard == []
    (line_of_log,) = caplog.messages  # once a minute, and what to do
    assert "127.0.0.1" in line_of_log
    assert "peers" in line_of_log
    assert "王" not in caplog.text


def test_strangers_take_no_place_of_known_peers(heard: list[bytes]) -> None:
    turn = iter([False, False, *[True] * 10])
    with _guarded(lambda _address: next(turn), heard, connections=1) as listener:
        address = ("127.0.0.1", listener.port)
        with socket.create_connection(address), socket.create_connection(address):  # they say nothing
            time.sleep(0.3)
            assert Client().send(*address, _message(1)).ok


def test_a_stranger_has_no_time_and_no_room(heard: list[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mllp, "STRANGER_SECONDS", 0.2)
    with _guarded(lambda _address: False, heard) as listener:
        with socket.create_connection(("127.0.0.1", listener.port), timeout=10) as line:
            assert line.recv(1) == b""
        with socket.create_connection(("127.0.0.1", listener.port), timeout=10) as line, suppress(ConnectionError):
            line.sendall(b"\x0b" + b"x" * 200_000)
            assert line.recv(1) == b""


def test_who_is_taken_off_the_list_is_refused_from_the_next_message_on(heard: list[bytes]) -> None:
    entered = [True]
    with (
        _guarded(lambda _address: entered[0], heard) as listener,
        socket.create_connection(("127.0.0.1", listener.port), timeout=10) as line,
    ):
        line.sendall(b"\x0b" + _message(1) + b"\x1c\r")
        assert b"MSA|AA" in _answers(line, 1)
        entered[0] = False
        line.sendall(b"\x0b" + _message(2) + b"\x1c\r")
        assert b"MSA|AE" in _answers(line, 1)
        assert line.recv(1) == b""
    assert heard == [_message(1)]
