"""The words of a case report: what each verdict says, and what it does not say.

They are fixed, because each says as much as its verdict knows and no more: "not ours" means that no row aligned, never
that somebody is cleared; a name means a copy, never a person.
"""

from copyhold.domain.tracing import Finding

HEADLINES = {
    Finding.NAMED: "The file carries the marks of a copy",
    Finding.OURS_CANNOT_TELL: "Ours, and whose copy it was cannot be told",
    Finding.UNMARKED_ORIGINAL: "The unmarked original",
    Finding.NOT_OURS: "The rows are not of this custody, as far as can be told",
    Finding.UNREADABLE: "The file cannot be read",
    Finding.INSTRUMENT_FAILED: "The instrument failed, and nothing was found",
    Finding.HELD: "Held for a second analyst",
}

# Instead, where every name rests on ids.
BY_IDS_ALONE = "The file carries the participant ids of a copy"

# The finding of each verdict that names nobody, in two sentences.
FINDINGS = {
    Finding.OURS_CANNOT_TELL: "The file holds rows of this dataset. Whose copy they come from is not shown by them.",
    Finding.UNMARKED_ORIGINAL: "The file agrees with the dataset as it was before any copy was marked. The marks of no "
    "copy are in it, so it leads to no holder.",
    Finding.NOT_OURS: "The rows of the file align with a version of this custody no better than other people's would. "
    "Nothing was scored, and nobody is cleared by this.",
    Finding.UNREADABLE: "The file could not be read as a table. Nothing in it was compared with anything.",
    Finding.INSTRUMENT_FAILED: "More control keys showed evidence than chance allows, so the instrument is not to be "
    "trusted on this file. Nobody is named, and this attempt speaks neither for nor against anybody.",
    Finding.HELD: "This trace has an answer that another analyst must agree to before anybody sees it. Until then "
    "nothing of it is shown, whatever it is.",
}

LIMITS = {
    Finding.NAMED: (
        "It does not give the probability that a named party is innocent, nor that it did anything.",
        "It speaks of copies, not of people: who obtained a copy, results detailed enough to rebuild its marks, or the "
        "keys, would leave the same evidence.",
        "At least these copies contributed; never only these.",
        "It says nothing about any party that is not named, neither for nor against.",
    ),
    Finding.OURS_CANNOT_TELL: (
        "It does not say that no marked copy is behind the file: too few rows or columns, or changed values, leave "
        "too little to tell.",
        "It says nothing about any party, neither for nor against.",
    ),
    Finding.UNMARKED_ORIGINAL: (
        "It does not say how the file came to be: the custody's own systems, a copy from before marking, and a marked "
        "copy whose values somebody restored look alike.",
        "It says nothing about any party, neither for nor against.",
    ),
    Finding.NOT_OURS: (
        "It does not say that the file has nothing to do with this custody: rows that were changed enough, or that "
        "were destroyed after a withdrawal, align with nothing.",
        "It clears nobody.",
    ),
    Finding.UNREADABLE: ("It says nothing about where the file comes from.",),
    Finding.INSTRUMENT_FAILED: (
        "It says nothing about where the file comes from, nor about any party.",
        "It does not say what failed: keep the file, and have the instrument examined before it is used again.",
    ),
    Finding.HELD: (),
}

ATTACKS = {
    "none": "copied as it is",
    "five_columns": "five columns only",
    "rounded": "rounded to the tolerance",
    "noise": "noise of the size of the tolerance",
    "two_leakers": "two holders' copies mixed",
}

# Propositions that hold in every case, whatever the register says.
COULD_BE_OTHERS = (
    "Somebody inside or outside the party obtained one of its copies, or the keys, without its knowledge.",
    "The custodian, who holds the keys, made the file; the safeguards below say what speaks against that.",
)
