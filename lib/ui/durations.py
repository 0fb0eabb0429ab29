"""How lengths of time are written where two of them are compared: two figures and a unit."""


def milliseconds(amount: float) -> str:
    """Return milliseconds such as "181 ms" or "2.4 s"."""
    return f"{amount:,.0f} ms" if amount < 1_000 else seconds(amount / 1_000)


def seconds(amount: float) -> str:
    """Return seconds such as "2.4 s", "12 min", "3.5 h" or "2.1 d"."""
    for size, unit in ((60, "s"), (60, "min"), (24, "h")):
        if amount < size:
            return f"{amount:.1f} {unit}" if amount < 10 else f"{amount:.0f} {unit}"
        amount /= size
    return f"{amount:.1f} d"
