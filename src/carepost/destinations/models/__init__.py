from carepost.destinations.models.bounces import Bounce, ReturnPath
from carepost.destinations.models.posture import Alert, Change, Day, Destination
from carepost.destinations.models.reports import Report
from carepost.destinations.models.sending import Asked, ProviderLimit, SendingAddress, SendingPool, WarmDay

__all__ = [
    "Alert",
    "Asked",
    "Bounce",
    "Change",
    "Day",
    "Destination",
    "ProviderLimit",
    "Report",
    "ReturnPath",
    "SendingAddress",
    "SendingPool",
    "WarmDay",
]
