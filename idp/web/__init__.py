"""HTTP: parse, call, render. No SQL, no signing, no rule. Start with routes.py."""
