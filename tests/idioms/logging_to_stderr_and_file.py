import logging

logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
logger = logging.getLogger(__name__)


def run():
    logger.setLevel(logging.INFO)
    logger.info("step %d", 3)
    logger.warning("careful")
    handler = logging.FileHandler("train.log", mode="w")
    handler.setFormatter(logging.Formatter("%(message)s"))
    logger.addHandler(handler)
    logger.info("to the file")
    handler.close()
    logger.removeHandler(handler)
    return open("train.log").read()
