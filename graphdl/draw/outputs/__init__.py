"""What a trace can be written as, by the suffix of the file: one table, and a module for each family of formats."""
