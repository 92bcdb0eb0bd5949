"""What is written for people and other programs: exports, and the documentation of checks."""
