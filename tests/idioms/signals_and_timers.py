import atexit
import signal
import sys
import threading
import time


def stop(number, frame):
    raise KeyboardInterrupt


def run():
    before = signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGINT, before)
    atexit.register(print, "bye")
    fired = []
    timer = threading.Timer(0.01, fired.append, [1])
    timer.start()
    timer.join()
    event = threading.Event()
    return fired, event.wait(0.005), threading.current_thread().name, callable(sys.exit)
