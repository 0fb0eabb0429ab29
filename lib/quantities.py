"""How sizes and lengths of time are written, on the screens and in the terminal alike."""

_STEPS = ((60, "s"), (60, "min"), (24, "h"))


def duration(seconds: float) -> str:
    """Return a length of time in its largest whole unit, such as "4 h"."""
    amount = int(seconds)
    for step, unit in _STEPS:
        if amount < step:
            return f"{amount} {unit}"
        amount //= step
    return f"{amount} d"


def byte_size(count: int) -> str:
    """Return a number of bytes in the largest unit that fits, such as "12.3 MB"."""
    amount, unit = float(count), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if amount < 1000:
            break
        amount, unit = amount / 1000, larger
    return f"{amount:,.0f} {unit}" if unit == "B" else f"{amount:,.1f} {unit}"
