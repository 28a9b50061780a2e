"""What is compared. Each program is a function that a process of its own calls, and returns what it took."""
