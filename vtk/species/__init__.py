"""Species: where and when they were seen, what they belong to, answers as sets, and what confusing them costs."""
