"""People across platforms: what no reading of one platform alone can show."""
