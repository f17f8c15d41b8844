#!/usr/bin/env python3
"""What a client measured over a shaped link, beside what strait-plan simulate says of the same.

usage: compare.py CLIENT_LOG.csv SIMULATED.csv [DEADLINE_MS]
"""
import collections
import csv
import sys


def quantile(values, q):
    return values[int(q * (len(values) - 1))]


def read(path):
    with open(path, newline="") as f:
        rows = list(csv.DictReader(f))
    if not rows:
        raise SystemExit(f"{path}: holds no rows")
    return rows


def summary(rows, deadline_ms):
    times = sorted(float(row["measured_ms"]) for row in rows)
    told = [row["right"] == "1" for row in rows if row["right"]]
    return {"mean ms": sum(times) / len(times), "p50 ms": quantile(times, 0.5), "p95 ms": quantile(times, 0.95),
            "p99 ms": quantile(times, 0.99),
            "deadlines met %": 100 * sum(t <= deadline_ms for t in times) / len(times),
            "right %": 100 * sum(told) / len(told) if told else None}


def simulated(row):
    return {"mean ms": row["mean_ms"], "p50 ms": row["p50_ms"], "p95 ms": row["p95_ms"], "p99 ms": row["p99_ms"],
            "deadlines met %": row["deadlines_met"], "right %": row["accuracy"]}


def print_table(columns):
    print(f"{'':<18}" + "".join(f"{name:>16}" for name in columns))
    for key in next(iter(columns.values())):
        cells = [column[key] for column in columns.values()]
        print(f"{key:<18}" + "".join(f"{float(cell):>16.1f}" if cell is not None else f"{'-':>16}" for cell in cells))


def route(row):
    return " ".join(filter(None, (row["route"], row["split"], "given up" if row["given_up"] == "1" else "")))


def main(args):
    if len(args) not in (2, 3):
        raise SystemExit(__doc__.split("\n\n")[1])
    measured = read(args[0])
    policies = {row["policy"]: row for row in read(args[1])}
    columns = {"measured": summary(measured, float(args[2]) if len(args) == 3 else float("inf"))}
    for policy, title in (("strait", "simulated"), ("strait, channel known", "channel known"), ("oracle", "oracle"),
                          ("local", "all local")):
        if policy in policies:
            columns[title] = simulated(policies[policy])
    print_table(columns)
    print(f"\n{'measured route':<28}{'requests':>10}{'mean ms':>12}{'expected ms':>14}{'server ms':>12}{'bytes':>10}")
    routes = collections.defaultdict(list)
    for row in measured:
        routes[route(row)].append(row)
    for name, rows in sorted(routes.items()):
        def mean(key, rows=rows):
            return sum(float(row[key]) for row in rows) / len(rows)

        print(f"{name:<28}{len(rows):>10}{mean('measured_ms'):>12.1f}{mean('expected_ms'):>14.1f}"
              f"{mean('server_ms'):>12.1f}{mean('bytes'):>10.0f}")


if __name__ == "__main__":
    main(sys.argv[1:])
