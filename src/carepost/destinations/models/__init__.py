from carepost.destinations.models.bounces import Bounce, ReturnPath
from carepost.destinations.models.posture import Alert, Change, Day, Destination
from carepost.destinations.models.reports import Report

__all__ = ["Alert", "Bounce", "Change", "Day", "Destination", "Report", "ReturnPath"]
