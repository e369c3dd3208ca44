"""Reading and writing of data files."""
