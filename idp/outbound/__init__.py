"""The only way out: mail over SMTP. Knows no rules and no tables; domain tells it what to send."""
