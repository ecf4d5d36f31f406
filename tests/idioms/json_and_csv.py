import csv
import io
import json


def run():
    text = json.dumps({"loss": [0.5, 0.25], "name": "가"}, ensure_ascii=False, sort_keys=True)
    with open("log.json", "w", encoding="utf-8") as file:
        file.write(text)
    with open("log.json", encoding="utf-8") as file:
        read = json.load(file)
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, fieldnames=["epoch", "loss"])
    writer.writeheader()
    writer.writerow({"epoch": 1, "loss": 0.5})
    rows = list(csv.reader(io.StringIO(buffer.getvalue())))
    return read["loss"], read["name"], rows
