"""The conversation: decides, never performs."""
