"""The worker's first step: pending events become findable, counted, routed, and done."""
