"""The Activity screen: the list of events and one of them in a drawer."""
