"""Numbers in patterns: compared as IEEE doubles, and only where a double says the same as what is written.

Source: aws/event-ruler (`ComparableNumber`).
"""

from decimal import Decimal, InvalidOperation
from math import isfinite

EXACT = 2**53
"""Up to here every whole number is a double."""


class WrittenFloat(float):
    """A number with a fraction or an exponent, and its text in the pattern."""

    text: str

    @classmethod
    def read(cls, text: str) -> "WrittenFloat":
        number = cls(text)
        number.text = text
        return number


def written(number: int | float) -> str:
    return number.text if isinstance(number, WrittenFloat) else str(number)


def comparable(number: int | float) -> bool:
    """Whether the double's shortest decimal form is the number itself: 17 digits at most, and no infinity."""
    if isinstance(number, int) and -EXACT <= number <= EXACT:
        return True
    if type(number) is float:  # an event's, which has been made of its text already
        return isfinite(number)
    try:
        double = float(number)
        return isfinite(double) and Decimal(repr(double)) == Decimal(written(number))
    except (OverflowError, InvalidOperation):  # too large an integer, too long an exponent
        return False
