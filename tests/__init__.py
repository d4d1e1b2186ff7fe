"""The tests mirror ``src/hades``: a file for a file."""
