"""What members try things out with: signed samples, test addresses, rehearsals, the doctor."""
