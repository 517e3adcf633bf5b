"""Real imports and real transcription in a fresh process, here or elsewhere, as observations."""
