"""Files that are far away, read in small parts."""
