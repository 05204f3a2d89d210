"""One module for each way to prove who you are."""
