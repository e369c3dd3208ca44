"""Event generators: one contract, found through the entry-point group ``simgen.generators``."""
