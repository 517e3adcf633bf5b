"""Predictions beside observations, for a reader, a program, a test dashboard and a pull request."""
