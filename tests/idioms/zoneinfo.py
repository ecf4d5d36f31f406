from datetime import datetime, timedelta
from zoneinfo import ZoneInfo


def run():
    noon = datetime(2024, 7, 1, 12, tzinfo=ZoneInfo("Asia/Seoul"))
    berlin = noon.astimezone(ZoneInfo("Europe/Berlin"))
    return noon.isoformat(), berlin.hour, (berlin + timedelta(days=180)).isoformat()
