"""Markdown tables, and limits beside what was measured."""


def table(header, rows):
    print("\n| " + " | ".join(header) + " |\n|" + "|".join([" --- "] + [" ---: "] * (len(header) - 1)) + "|")
    for row in rows:
        print("| " + " | ".join(row) + " |", flush=True)


def verdict(value, limit, unit=""):
    """Whether a value keeps a limit, such as "≤ 10 %" or "≥ 5"."""
    sign, bound = limit.split()
    kept = value <= float(bound) if sign == "≤" else value >= float(bound)
    return f"{limit}{unit}: {'met' if kept else 'not met'}"
