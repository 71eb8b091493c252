from carepost.destinations.models.posture import Alert, Change, Day, Destination

__all__ = ["Alert", "Change", "Day", "Destination"]
