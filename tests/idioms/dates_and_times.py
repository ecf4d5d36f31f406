import datetime as dt
import time


def run():
    start = time.perf_counter()
    before = time.time()
    time.sleep(0.02)
    elapsed = time.perf_counter() - start
    today = dt.date(2024, 2, 28) + dt.timedelta(days=2)
    parsed = dt.datetime.strptime("2024-03-01 10:20", "%Y-%m-%d %H:%M")
    stamp = dt.datetime.fromtimestamp(0, dt.timezone.utc).isoformat()
    return elapsed >= 0.019, time.time() >= before, today.isoformat(), parsed.minute, stamp
