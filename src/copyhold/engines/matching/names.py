"""Column names as hints: the form in which two spellings of one field are equal."""

import re

from copyhold.engines.tables.ukb import canonical


def plain_name(name: str) -> str:
    """Write a column name without what spellings differ in.

    UK Biobank's spellings become one; elsewhere case and everything but letters and digits is dropped.
    """
    return re.sub(r"[^0-9a-z]+", "", canonical(name.strip()).lower())
