"""The decay engine: a decay table compiled to flat arrays, and the kernel that runs it."""
