"""No URL: for processes that answer no request."""

urlpatterns: list[object] = []
