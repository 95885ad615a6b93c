"""The text of a script task, cut into its assignments."""

from __future__ import annotations

import re
import textwrap

_ASSIGN = re.compile(r"^([^\W\d]\w*(?:\.\w+)*)\s*=(?!=)\s*(.+)$", re.S)


def assignments(script: str) -> list[tuple[str, str]]:
    """Target and source of each statement; the source is empty where the line is no assignment."""
    lines: list[str] = []
    for line in textwrap.dedent(script.strip("\n")).splitlines():
        if line[:1].isspace() and lines:
            lines[-1] += "\n" + line
        elif line.strip():
            lines.append(line.strip())
    matches = [(line, _ASSIGN.match(line)) for line in lines]
    return [(match[1], match[2].strip()) if match else (line, "") for line, match in matches]
