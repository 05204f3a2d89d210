"""The audit log as something to prove: its Merkle tree, signed checkpoints, verification, and what
leaves the server. Entries themselves are written by `domain/audit.py`, which knows nothing of this.
"""
