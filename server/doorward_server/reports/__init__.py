"""The handover's report as PDF, and its printing at the branch without anybody asking."""
