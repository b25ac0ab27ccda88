"""Utterance to commands."""
