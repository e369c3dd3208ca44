"""Subcommands of ``simgen`` that need nothing but this package."""
