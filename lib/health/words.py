"""How figures of the report are written, on the screen and in the terminal alike."""

_STEPS = ((60, "s"), (60, "min"), (24, "h"))


def amount(count: int) -> str:
    """Return a number of bytes in the largest unit that fits, such as "12.3 MB"."""
    value, unit = float(count), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if value < 1000:
            break
        value, unit = value / 1000, larger
    return f"{value:,.0f} {unit}" if unit == "B" else f"{value:,.1f} {unit}"


def lasting(seconds: float) -> str:
    """Return a length of time in its largest whole unit, such as "4 h"."""
    value = max(0, int(seconds))
    for size, unit in _STEPS:
        if value < size:
            return f"{value} {unit}"
        value //= size
    return f"{value} d"
