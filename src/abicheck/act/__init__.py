"""What changes or runs things: container engines, real imports and real transcription, edits of shared objects."""
