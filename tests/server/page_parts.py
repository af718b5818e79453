"""What tests read in a page's HTML."""

import re


def part_of(page: str, pattern: str) -> str:
    """What the pattern's group matches in the page."""
    found = re.search(pattern, page)
    assert found, f"nothing like {pattern} in the page"
    return found[1]


def problem_of(page: str) -> str:
    """What the page says went wrong; empty for nothing."""
    return part_of(page, r'(?s)<div id="said">(?:<p [^>]*>)?(.*?)(?:</p>)?</div>')
