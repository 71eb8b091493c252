from tests.rooms.tenancy.conftest import cast, epoch, eyes, told

__all__ = ["cast", "epoch", "eyes", "told"]
