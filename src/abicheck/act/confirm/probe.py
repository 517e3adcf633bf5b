"""Imports modules and transcribes speech in a child process, and tells what happened; standard library, Python 3.6 and later.

`python probe.py REQUEST`, where REQUEST is JSON: `path` (directories for sys.path), `imports` (modules in order), `open` (further
shared objects to load by path), `speech` (null or `model`, `clips`, `threads`, `repeat`), `isolated` (without site-packages),
`launcher` (the command of the Python that does it, empty for this one), `environ` (what is set for it), `seconds`, `bytecode` (a
directory for its pycache_prefix, or null) and `pack` (whether to send the bytecode that it makes).

It writes one JSON object: `events`, `status` (the child's exit status, negative for a signal, null where time ran out), `output`
(the tail of what the child wrote), `seconds` and `bytecode` (null, or a ZIP file in base64, where all went well). It does not
import abicheck, since it runs where that is not installed.
"""

import json
import os
import subprocess
import sys
import threading
import time

TAIL = 4000
#: The most bytecode that is sent, in bytes: an answer that is longer than its reader keeps would be none.
MOST = 8 << 20
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def supervise(request: "dict[str, Any]") -> "dict[str, Any]":
    """Runs the child, and packs the bytecode that it leaves where that is asked for."""
    if not request["pack"]:
        return run(request, request["bytecode"])
    import tempfile  # noqa: PLC0415 -- takes time, and only the first run needs it

    with tempfile.TemporaryDirectory() as fresh:
        answer = run(request, fresh)
        if answer["status"] == 0 and all(event["kind"] != "error" for event in answer["events"]):
            answer["bytecode"] = packed(fresh)
    return answer


def packed(directory: str) -> "str | None":
    """The files below a directory as a ZIP file in base64, None if that is too long to be sent."""
    import base64  # noqa: PLC0415 -- as above
    import io  # noqa: PLC0415
    import zipfile  # noqa: PLC0415

    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as target:
        for folder, _, names in os.walk(directory):
            for name in names:
                path = os.path.join(folder, name)
                target.write(path, os.path.relpath(path, directory))
    return base64.b64encode(archive.getvalue()).decode("ascii") if archive.tell() <= MOST else None


def run(request: "dict[str, Any]", bytecode: "str | None") -> "dict[str, Any]":
    """Runs the child, waits for it as long as it may take, and collects what it told."""
    reader, writer = os.pipe()
    flags = ["-I", "-S"] if request["isolated"] else []
    if bytecode is not None:
        flags += ["-X", "pycache_prefix=" + bytecode]
    python = request["launcher"] or [sys.executable]
    command = [*python, *flags, "-X", "faulthandler", os.path.abspath(__file__), "--child", str(writer), json.dumps(request)]
    environ = dict(os.environ)
    environ.update(request["environ"])
    started = time.time()
    child = subprocess.Popen(  # noqa: S603 -- this file
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, pass_fds=[writer], env=environ
    )
    os.close(writer)
    told = []  # type: list[bytes]
    listener = threading.Thread(target=listen, args=(reader, told))
    listener.start()
    try:
        output = child.communicate(timeout=request["seconds"])[0]
        status = child.returncode
    except subprocess.TimeoutExpired:
        child.kill()
        output, status = child.communicate()[0], None
    listener.join()
    events = [json.loads(line.decode("utf-8")) for line in b"".join(told).split(b"\n")[:-1]]
    tail = output[-TAIL:].decode("utf-8", "backslashreplace")
    return {"events": events, "status": status, "output": tail, "seconds": time.time() - started, "bytecode": None}


def listen(reader: int, told: "list[bytes]") -> None:
    """Reads until the child and all that it started have closed their end."""
    with open(reader, "rb") as pipe:
        told.append(pipe.read())


class Teller:
    """Writes events, a line each, so that what was told before a crash is not lost."""

    def __init__(self, pipe: int) -> None:
        self._pipe = pipe
        self._lock = threading.Lock()

    def tell(self, **event: "Any") -> None:
        """Writes one event. What cannot be encoded is escaped."""
        line = json.dumps(event).encode("ascii") + b"\n"
        with self._lock:
            while line:
                line = line[os.write(self._pipe, line) :]


def watch(teller: Teller) -> None:
    """Tells of every extension that is opened from now on, and of what the loader said."""
    import _imp  # noqa: PLC0415 -- only the child needs it

    create = _imp.create_dynamic

    def create_and_tell(spec: "Any", *more: "Any") -> "Any":
        text = None
        try:
            return create(spec, *more)
        except ImportError as error:
            if error.path == spec.origin:  # else the module was loaded, and what it imports itself failed
                text = str(error)
            raise
        finally:
            # Told afterwards: what kills the process here has no event, but the import that it was part of has no end either.
            teller.tell(kind="extension", path=spec.origin, text=text)

    _imp.create_dynamic = create_and_tell


def chain(error: "Any") -> str:
    """The exception, then those that led to it."""
    seen = []  # type: list[Any]
    while error is not None and error not in seen:
        seen.append(error)
        error = error.__cause__ or error.__context__
    return " <- ".join(f"{type(each).__name__}: {each}" for each in seen)


def import_all(modules: "list[str]", teller: Teller) -> bool:
    """Imports one module after the other until one fails."""
    for module in modules:
        teller.tell(kind="begin", what="import " + module)
        try:
            __import__(module)
        except BaseException as error:  # noqa: BLE001 -- whatever it is, a user would see it
            teller.tell(kind="error", what="import " + module, text=chain(error))
            return False
        teller.tell(kind="done", what="import " + module)
    return True


def open_all(paths: "list[str]", teller: Teller) -> None:
    """Loads shared objects that no import has led to; whatever their modules do then is not asked."""
    import ctypes  # noqa: PLC0415 -- as above

    for path in paths:
        text = None
        try:
            ctypes.CDLL(path)
        except OSError as error:
            text = str(error)
        teller.tell(kind="extension", path=path, text=text)


def transcribe(speech: "dict[str, Any]", teller: Teller) -> None:
    """Transcribes every clip `repeat` times in each of `threads` threads, with one model for all of them."""
    from faster_whisper import WhisperModel  # type: ignore[import-not-found, unused-ignore]  # noqa: PLC0415 -- the code that is observed

    teller.tell(kind="begin", what="transcribe")
    threads = speech["threads"]
    model = WhisperModel(speech["model"], device="cpu", compute_type="float32", cpu_threads=1, num_workers=threads)
    failures = []  # type: list[str]

    def work() -> None:
        try:
            for _ in range(speech["repeat"]):
                for number, clip in enumerate(speech["clips"]):
                    teller.tell(kind="heard", clip=number, text=hear(model, clip))
        except BaseException as error:  # noqa: BLE001 -- as above
            failures.append(chain(error))

    workers = [threading.Thread(target=work) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    if failures:
        teller.tell(kind="error", what="transcribe", text=failures[0])
    else:
        teller.tell(kind="done", what="transcribe")


def hear(model: "Any", clip: str) -> str:
    """The words of one clip. Nothing in these settings is left to chance: no sampling, no second try at a higher temperature."""
    segments, _ = model.transcribe(
        clip,
        language="en",
        beam_size=5,
        temperature=0.0,
        condition_on_previous_text=False,
        without_timestamps=True,
        compression_ratio_threshold=None,
        log_prob_threshold=None,
        no_speech_threshold=None,
    )
    return " ".join(" ".join(segment.text for segment in segments).split())


def child(pipe: int, request: "dict[str, Any]") -> None:
    """Does what is asked, and tells of it on the way."""
    teller = Teller(pipe)
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [*request["path"], *(path for path in sys.path if path != here)]
    watch(teller)
    if import_all(request["imports"], teller) and request["speech"] is not None:
        try:
            transcribe(request["speech"], teller)
        except BaseException as error:  # noqa: BLE001 -- as above
            teller.tell(kind="error", what="transcribe", text=chain(error))
    if request["open"]:
        open_all(request["open"], teller)
    teller.tell(kind="end")


if __name__ == "__main__":
    if sys.argv[1] == "--child":
        child(int(sys.argv[2]), json.loads(sys.argv[3]))
    else:
        sys.stdout.write(json.dumps(supervise(json.loads(sys.argv[1]))) + "\n")
