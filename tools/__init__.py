"""What the line can do in the company's systems, as typed async functions."""
