"""placeholder"""

from datetime import datetime

from lib.models import Destination
from lib.outgoing.exchange import Secrets
from lib.seals import Vault


def open_secrets(vault: Vault, row: Destination, moment: datetime) -> Secrets:
    url = vault.open(row.credentials["url"]["sealed"], place=("destinations", row.id, "url"))
    return Secrets(url, (), {})
