"""Traces of a link, as planner/link_trace.h has them: rate, round trip and loss over time, from the start again at the end."""
import bisect
import csv

COLUMNS = ("seconds", "bytes_per_second", "rtt_seconds", "loss")


class LinkTrace:
    def __init__(self, path):
        try:
            with open(path, newline="") as f:
                rows = list(csv.DictReader(f))
            columns = [[float(row[column]) for row in rows] for column in COLUMNS]
        except OSError as error:
            raise SystemExit(f"{path}: cannot be read: {error.strerror}") from None
        except (KeyError, TypeError, ValueError):
            columns = [[]]
        if len(columns[0]) < 2:
            raise SystemExit(f"{path}: wants the columns {','.join(COLUMNS)} and two rows of numbers at least; "
                             "strait-plan trace writes such a file")
        times, self.rates, self.rtts, self.losses = columns
        self.times = [time - times[0] for time in times]
        if not any(rate > 0 for rate in self.rates):
            raise SystemExit(f"{path}: has no point with a rate")
        self.duration = 2 * self.times[-1] - self.times[-2]  # the last point lasts as long as the one before

    def at(self, seconds):
        """The point that holds, and when the next one begins."""
        turns, phase = divmod(seconds, self.duration)
        i = max(bisect.bisect_right(self.times, phase) - 1, 0)
        end = self.times[i + 1] if i + 1 < len(self.times) else self.duration
        return i, turns * self.duration + end

    def rtt(self, seconds):
        return self.rtts[self.at(seconds)[0]]

    def loss(self, seconds):
        return self.losses[self.at(seconds)[0]]

    def rate(self, seconds):
        return self.rates[self.at(seconds)[0]]

    def finish(self, start, num_bytes):
        """When the last of so many bytes has gone out whose first goes out at `start`."""
        now = start
        while True:
            i, end = self.at(now)
            end = max(end, now + 1e-9)  # a division that rounds down must not stand still
            if self.rates[i] > 0 and now + num_bytes / self.rates[i] <= end:
                return now + num_bytes / self.rates[i]
            num_bytes -= self.rates[i] * (end - now)
            now = end
