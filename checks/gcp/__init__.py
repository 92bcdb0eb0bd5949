"""Evidence and checks on Google Cloud."""
