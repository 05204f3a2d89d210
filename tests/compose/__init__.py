"""docker-compose.yml, built and started for real: see README.md."""
