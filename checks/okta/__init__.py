"""Evidence and checks on Okta."""
