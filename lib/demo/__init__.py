"""Demo data: invented traffic, signed as providers sign, sent through the real receiver."""
