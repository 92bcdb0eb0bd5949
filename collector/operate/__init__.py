"""What keeps the program at work: the schedule, its health, its log; documents and requests to people."""
