"""Commands and facts to sentences."""
