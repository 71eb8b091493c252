from carepost.destinations.models.posture import Alert, Change, Day, Destination
from carepost.destinations.models.reports import Report

__all__ = ["Alert", "Change", "Day", "Destination", "Report"]
