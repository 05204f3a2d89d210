"""The `idp` command: one module for each noun. Imports the composition root, never a table."""
