"""Initial data from a workbook and its photo and finger files."""
