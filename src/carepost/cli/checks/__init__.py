"""What `carepost doctor` looks at: each check yields findings, and every finding that is not well says what to do."""
