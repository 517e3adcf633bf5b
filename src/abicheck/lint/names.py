"""What the rules know by name, for they see no headers: who starts work elsewhere, what owns memory, what allocates."""

from __future__ import annotations

import re

#: Calls whose arguments are used on another thread, or later: the standard library, and common pools, queues and dispatchers.
STARTS = re.compile(
    r"(?:std::)?(?:j?thread|async)|(?:std::)?make_(?:unique|shared)<(?:std::)?j?thread>|boost::thread|std::packaged_task"
    r"|.*\b(?:en[qQ]ueue\w*|[qQ]ueue(?:Work|Task|Job)?|dispatch(?:_async|Async)?|submit\w*|post|Post(?:Task|Work)"
    r"|push_?[tT]ask|add_?[tT]ask|run_?[aA]sync|runOn\w+|spawn\w*|create\w*Task|invokeAsync)"
)
#: A thread that is put into a container of them.
THREADS = re.compile(r".*(?:threads?|workers)_?\.(?:emplace_back|push_back)")
#: Classes whose objects do their work on another thread, as those of Napi::AsyncWorker.
WORKERS = re.compile(r".*(?:Worker|AsyncTask|AsyncJob|AsyncContext)")
#: Who calls one of them waits for what was started.
WAITS = re.compile(r".*(?:\bjoin\w*|[wW]ait\w*|\bget|_join)")

#: Types that keep what they are given, so that a pointer given to them has been copied.
OWNS = re.compile(
    r"\b(?:basic_string|w?string|u\d+string|vector|array|path|ByteArray|QString|SmallVector|json|String|Value)\b(?!_view)"
)
#: Types whose memory `data()` and `&x[0]` lead to.
HAS_DATA = re.compile(r"\b(?:basic_string|w?string|u\d+string|vector|SmallVector|QByteArray|path)\b(?!_view)")
#: Types that are no more than a pointer themselves.
VIEWS = re.compile(r"(?:string_view|StringRef|StringPiece|ArrayRef|Slice|[sS]pan|zstring|_view|View)\b|\bauto\b")
#: What makes a string that lives until the end of the statement.
TEMPORARY = re.compile(
    r"(?:std::)?(?:w?string|to_string|format)|fmt::format"
    r"|.*(?:\.|->)(?:Utf8Value|Utf16Value|str|string|u8string|substr|ToString|toStdString|toUtf8|toLocal8Bit|utf8)"
    r"|.*(?:as|As|cast|get)<(?:std::)?string>"
)
#: What takes a pointer and keeps it no longer than the call.
TRANSPARENT = re.compile(
    r"(?:std::)?(?:move|forward|as_const|ref|cref|addressof|bind)|(?:static|const|reinterpret)_cast<.*>", re.DOTALL
)

#: What allocates, and what frees that (C11 7.22.3, POSIX strdup, JNI specification 1.6 chapter 4, emscripten's preamble.js).
FREES = {
    "new[]": ("delete",),
    "malloc": ("free", "realloc"),
    "calloc": ("free", "realloc"),
    "strdup": ("free",),
    "strndup": ("free",),
    "_strdup": ("free",),
    "stringToNewUTF8": ("free",),
    "GetStringUTFChars": ("ReleaseStringUTFChars",),
    "GetStringChars": ("ReleaseStringChars",),
    **{
        f"Get{kind}ArrayElements": (f"Release{kind}ArrayElements",)
        for kind in ("Byte", "Short", "Int", "Long", "Float", "Double")
    },
}
#: Functions that use memory and leave it to the caller (C11 7.21 and 7.24, POSIX).
ONLY_USE = re.compile(
    r"(?:std::)?(?:mem\w+|str(?!dup|ndup)\w+|v?sn?w?printf|f?printf|f?puts|fread|fwrite|fgets|read|write|recv|send|ato\w+|s?scanf"
    r"|w?string|copy|copy_n|fill|fill_n)|.*(?:stringToUTF8|UTFRegion|ArrayRegion|(?:\.|->)(?:assign|append|read|write))"
)
#: Fields that are `const char *` in well-known headers, which are seldom linted with the binding (whisper.h of 1.7).
POINTERS = {("whisper_full_params", name) for name in ("language", "initial_prompt", "suppress_regex", "vad_model_path")}
