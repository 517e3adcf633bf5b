"""The parts of tools/tiny_whisper that need neither torch nor espeak-ng: words, tokens, recipes, schedule, command line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tools.tiny_whisper import __main__ as command
from tools.tiny_whisper import tokens
from tools.tiny_whisper.recipes import ACCENTS, UNSEEN, VARIANTS, Recipe, drawn
from tools.tiny_whisper.schedule import PEAK, WARM_UP, phase
from tools.tiny_whisper.words import POSITIONS, WORDS, ToolError, mistakes

ROOT = Path(__file__).resolve().parent.parent.parent


def _encoded(text: str) -> list[str]:
    """What byte pair encoding makes of a text without blanks inside: the first merge of the list that fits, again and again."""
    ranks = {pair: rank for rank, pair in enumerate(tokens.merges())}
    parts = list(text)
    while len(parts) > 1:
        rank, place = min((ranks.get((parts[n], parts[n + 1]), len(ranks)), n) for n in range(len(parts) - 1))
        if rank == len(ranks):
            break
        parts[place : place + 2] = [parts[place] + parts[place + 1]]
    return parts


@pytest.mark.parametrize(
    ("said", "heard", "expected"),
    [
        ("", "", 0),
        ("go back home", "go back home", 0),
        ("go back home", "", 3),
        ("", "go back", 2),
        ("start start", "start", 1),
        ("open the door", "door open", 3),
        ("one two three", "zero one two three four", 2),
        ("red green blue", "red blue green", 2),
    ],
)
def test_mistakes(said: str, heard: str, expected: int) -> None:
    assert mistakes(said.split(), heard.split()) == expected


def test_no_word_is_there_twice() -> None:
    assert len(set(WORDS)) == len(WORDS)


@pytest.mark.parametrize("word", WORDS)
def test_each_word_is_one_token(word: str) -> None:
    assert _encoded(tokens.BLANK + word) == [tokens.BLANK + word]
    assert list(tokens.ids())[tokens.word_id(word)] == tokens.BLANK + word


def test_every_byte_is_a_token() -> None:
    assert len(set(tokens.alphabet())) == 256
    assert set(tokens.alphabet()) <= set(tokens.ids())
    assert tokens.alphabet()[:3] == ["!", '"', "#"]
    assert tokens.BLANK in tokens.alphabet()


def test_tokens_stand_in_the_order_that_decoders_expect() -> None:
    order = list(tokens.ids())
    text = 256 + len(tokens.merges())
    assert order[text : text + 2] == [tokens.END, tokens.START]
    assert order.index(tokens.UNTIMED) + 1 == order.index("<|0.00|>")
    assert order[-1] == "<|6.00|>"
    assert len(order) - order.index("<|0.00|>") == POSITIONS + 1
    assert "" not in order  # by which CTranslate2 would take the model for one of many languages


@pytest.mark.parametrize(
    ("seconds", "token"), [(0, "<|0.00|>"), (0.04, "<|0.00|>"), (1.26, "<|1.30|>"), (5.99, "<|6.00|>"), (9, "<|6.00|>")]
)
def test_times_are_tenths_of_a_second_inside_the_window(seconds: float, token: str) -> None:
    assert list(tokens.ids())[tokens.time_id(seconds)] == token


def test_the_document_holds_each_token_once() -> None:
    document = json.loads(json.dumps(tokens.document()))
    numbers = {**document["model"]["vocab"], **{each["content"]: each["id"] for each in document["added_tokens"]}}
    assert numbers == tokens.ids()
    assert len(document["model"]["vocab"]) + len(document["added_tokens"]) == len(numbers)
    assert all(merge.split(" ") == list(pair) for merge, pair in zip(document["model"]["merges"], tokens.merges(), strict=True))


def test_recipes_depend_on_the_seed_alone() -> None:
    assert drawn("train", 50, 1) == drawn("train", 50, 1)
    assert drawn("train", 50, 1) != drawn("train", 50, 2)
    assert drawn("train", 50, 1)[:10] == drawn("train", 10, 1)


def test_held_out_clips_say_and_sound_like_none_of_the_training() -> None:
    training = drawn("train", 3000, 1)
    held = drawn("held-out", 200, 1, {each.text for each in training})
    assert not {each.text for each in held} & {each.text for each in training}
    assert not {each.speed for each in held} & {each.speed for each in training}
    assert not {each.pitch for each in held} & {each.pitch for each in training}


def test_unseen_voices_are_in_no_training() -> None:
    assert not set(UNSEEN) & {accent + variant for accent in ACCENTS for variant in VARIANTS}
    assert {each.voice for each in drawn("unseen-voices", 100, 1)} == set(UNSEEN)


def test_a_recipe_is_a_call() -> None:
    recipe = Recipe("go home", "en-us+m1", 150, 40, 2, 100)
    assert " ".join(recipe.command()) == "espeak-ng -v en-us+m1 -s 150 -p 40 -g 2 -a 100 --stdout go home"


def test_the_rate_rises_and_falls() -> None:
    rates = [phase(step, 5000).rate for step in range(5000)]
    assert rates[: WARM_UP - 1] == sorted(rates[: WARM_UP - 1])
    assert rates[WARM_UP:] == sorted(rates[WARM_UP:], reverse=True)
    assert max(rates) <= PEAK
    assert PEAK / 60 < rates[-1] < PEAK / 40


def test_the_phases_of_a_training() -> None:
    first, middle, last = (phase(step, 1000) for step in (0, 600, 999))
    assert (first.joined, middle.joined) == (3, 4)
    assert first.dull == 0 < middle.dull
    assert first.whole < last.whole == 1
    assert middle.letters > last.letters > 0


def test_what_is_missing_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("shutil.which", lambda _: None)
    assert command.main(["--out", "unused"]) == 2
    assert capsys.readouterr().err == "error: espeak-ng is missing: apt-get install espeak-ng\n"


def test_a_missing_module_names_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(ToolError, match=r"^torch is missing: pip install torch==\S+ ctranslate2==\S+ faster-whisper==\S+ "):
        command.check_needs()


@pytest.mark.parametrize("steps", ["0", "-3", "many"])
def test_steps_that_are_none_are_refused(steps: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        command.main(["--out", "unused", "--steps", steps])
    assert f"argument --steps: invalid number above 0 value: '{steps}'" in capsys.readouterr().err


def test_the_help_needs_no_torch_and_has_an_example() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tools.tiny_whisper", "--help"], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert "example: python -m tools.tiny_whisper --out" in done.stdout
