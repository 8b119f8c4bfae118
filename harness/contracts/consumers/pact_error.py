"""What is wrong with one interaction of a pact file."""


class PactError(ValueError):
    """`str()` names the field and the mend; the reader of the file adds file and line."""
