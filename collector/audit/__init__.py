"""The internal audit: what applies, who audits what and when, what was found, and what was done about it."""
