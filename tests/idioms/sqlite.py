import sqlite3


def run():
    with sqlite3.connect(":memory:") as db:
        db.execute("create table runs (name text, loss real)")
        db.executemany("insert into runs values (?, ?)", [("a", 0.5), ("b", 0.25)])
        rows = db.execute("select name, loss from runs order by loss").fetchall()
    file = sqlite3.connect("runs.db")
    file.execute("create table t (x)")
    file.execute("insert into t values (42)")
    file.commit()
    (value,) = file.execute("select x from t").fetchone()
    file.close()
    return rows[0][0], rows[1][1], value
