from carepost.destinations.models.bounces import Bounce, ReturnPath
from carepost.destinations.models.posture import Alert, Change, Day, Destination
from carepost.destinations.models.reports import Report
from carepost.destinations.models.sending import Ahead, Asked, ProviderLimit, SendingAddress, SendingPool, WarmDay

__all__ = [
    "Ahead",
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
