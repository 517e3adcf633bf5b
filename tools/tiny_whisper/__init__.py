"""Make the embedded model: a Whisper that knows a few dozen words, trained from nothing on speech that espeak-ng synthesises."""
