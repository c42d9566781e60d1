"""How much of the processors went to others while something was measured."""
import os


class Bystanders:
    """Counts from when it is made. Linux only, elsewhere nobody else is seen."""

    def __init__(self):
        self.start = self.now()

    @staticmethod
    def now():
        """Seconds of all processors together: there have been, worked by anybody, worked by this process and its children."""
        own = sum(os.times()[:4])
        try:
            with open("/proc/stat") as stat: ticks = [int(word) / os.sysconf("SC_CLK_TCK") for word in stat.readline().split()[1:9]]
        except OSError: return 0, own, own
        idle = ticks[3] + ticks[4]
        return sum(ticks), sum(ticks) - idle, own

    def share(self):
        total, worked, own = (b - a for a, b in zip(self.start, self.now()))
        return max(0, worked - own) / total if total else 0

    def note(self):
        """A sentence for what is printed."""
        share = self.share()
        doubt = ": too much to compare what has two threads, which wait for each other" if share > 0.1 else ""
        return f"Others took {share:.0%} of the processors meanwhile{doubt}."
