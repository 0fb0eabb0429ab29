"""How the installation fares, subject by subject, with the next step where something is wrong."""
