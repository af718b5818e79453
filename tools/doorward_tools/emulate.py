"""`doorward emulate`: one emulated part on a serial port of its own, for other people's drivers."""

import os
import signal
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from doorward_simulator.exposure import Exposure

    from doorward_tools.emulate_people import Hands

Tcp = Annotated[
    int | None,
    typer.Option(help="Listen on this TCP port instead of a pseudo-terminal; 0: any.", min=0, max=65535),
]
Seed = Annotated[int, typer.Option(help="Of all that is random in the part.", min=0)]
MODELS = ("r503", "as608", "live")

app = typer.Typer(
    help="Emulate one part in real time on a pseudo-terminal or TCP port.",
    epilog="Example:  doorward emulate fingerprint --model as608",
    no_args_is_help=True,
)


@app.command("fingerprint", epilog="Example:  doorward emulate fingerprint --model as608")
def fingerprint(
    model: Annotated[str, typer.Option(help=f"Which module: {', '.join(MODELS)}.")] = "r503",
    tcp: Tcp = None,
    seed: Seed = 0,
) -> None:
    """Emulate a fingerprint module (EF01 packets, 57,600 baud).

    Prints the path to open. Fingers come from the lines that you type: `press E1001 2`, `lift`; `help` lists
    them all. What the driver asks and the module answers is printed. Ends at Ctrl-C or end of input.
    """
    from doorward_simulator.devices import ef01_profiles
    from doorward_simulator.devices.ef01 import FingerprintModule

    from doorward_tools.emulate_people import FingerHands
    from doorward_tools.emulate_story import Ef01Story

    profiles = {"r503": ef01_profiles.R503, "as608": ef01_profiles.AS608, "live": ef01_profiles.LIVE}
    profile = profiles.get(model.lower())
    if profile is None:
        raise typer.BadParameter(f"no model {model!r}: use one of {', '.join(MODELS)}")
    _emulate(
        lambda scheduler: FingerprintModule(scheduler, "finger", profile), tcp, seed, Ef01Story(), FingerHands
    )


@app.command("uhf", epilog="Example:  doorward emulate uhf --tcp 4001")
def uhf(tcp: Tcp = None, seed: Seed = 0) -> None:
    """Emulate a UHF reader (M100/R200 frames, 115,200 baud).

    Prints the path to open. Tags come from the lines that you type: `enter 30395DFA8184A0C0000F4240`,
    `leave …`; `help` lists them all. What the driver asks and the reader answers is printed. Ends at Ctrl-C
    or end of input.
    """
    from doorward_simulator.devices.m100 import UhfReader

    from doorward_tools.emulate_people import TagHands
    from doorward_tools.emulate_story import M100Story

    _emulate(UhfReader, tcp, seed, M100Story(), TagHands)


def _emulate(make, tcp: int | None, seed: int, story, hands: "Callable[..., Hands]") -> None:
    from doorward_simulator.exposure import Exposure

    exposure = Exposure(make, seed, lambda asked, data: _say(*story.tell(asked, data)))
    try:
        address = exposure.on_terminal() if tcp is None else exposure.on_tcp(tcp)
    except OSError as error:
        typer.echo(f"doorward emulate: port {tcp} cannot be used ({error.strerror}); take another", err=True)
        raise typer.Exit(2) from None
    _say(f"open {address}", f"at {exposure.device.baud} baud; type help for what your hands can do")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        _run(exposure, hands(exposure.device))
    except KeyboardInterrupt:
        pass
    finally:
        exposure.close()
    _say("stopped")


def _run(exposure: "Exposure", hands: "Hands") -> None:
    """Until the input ends or `quit` comes; violations are told as they happen."""
    ended = False
    unfinished = bytearray()

    def end() -> None:
        nonlocal ended
        ended = True

    def typed(data: bytes) -> None:
        unfinished.extend(data)
        *lines, rest = bytes(unfinished).split(b"\n")
        unfinished[:] = rest[:1000]
        for line in lines:
            words = line.decode(errors="replace").split()
            if words == ["quit"]:
                end()
            elif words:
                _say(*hands.do(words))

    told = 0

    def going() -> bool:
        nonlocal told
        violations = exposure.device.violations
        _say(*(f"! {violation}" for violation in violations[told:]))
        told = len(violations)
        return not ended

    source = os.dup(sys.stdin.fileno())
    blocking = os.get_blocking(source)
    try:
        wire = exposure.listen(source, typed, end)
    except PermissionError:  # a file cannot be waited for: all that it holds happens at once
        wire = None
        with os.fdopen(os.dup(source), "rb") as script:
            typed(script.read() + b"\n")
    try:
        exposure.run(going)
    finally:
        if wire is not None:
            wire.close()
        os.set_blocking(source, blocking)  # a terminal shares this with the shell that started us
        os.close(source)


def _say(*lines: str) -> None:
    for line in lines:
        print(line, flush=True)
