# SPDX-License-Identifier: MIT
"""Tables and prose from the results, for the terminal and for RESULTS.md."""

from statistics import median

METRIC_NAMES = {
    "submit_ns": "submit, ns",
    "p99_ns": "p99, ns",
    "cpu_fraction": "cores used",
    "sleeper_fraction": "sleeper alone",
    "running_ns": "running, ns",
    "queued_ns": "all queued first, ns",
    "futures_ns": "ns",
    "post_ns": "post, ns",
    "post_slept_per_1000": "slept per 1000",
    "post_pushed_off_per_1000": "pushed off per 1000",
    "fork_ns_per_call": "fork, ns a call",
    "fork_slept": "slept",
    "fork_pushed_off": "pushed off",
    "fork_stolen": "stolen",
    "first_ms": "the first, ms",
    "first_gb_per_s": "the first, GB/s",
    "replaced_ms": "replaced, ms",
    "loop_ms": "a loop, ms",
    "small_ns": "1 KiB, ns",
    "empty_ns": "no block, ns",
    "to_small": "/ 1 KiB",
    "to_empty": "/ no block",
    "bytes": "bytes each",
    "p50_ms": "median, ms",
    "cpu_us": "processor, us",
    "set_ns": "set, ns",
    "cancel_ns": "cancel, ns",
    "per_s": "requests/s",
    "busy": "busy",
    "cpu_ms": "processor, ms",
    "rss_mb": "memory, MB",
    "cpu_ratio": "processor, sillon / it",
}


# A lead below this is none: the rounds differ by more.
LEVEL = 1.03


def number(value):
    if value == 0:
        return "0"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:#.3g}".rstrip(".")


def spread(values):
    """median (lowest..highest)"""
    if not values:
        return "-"
    if min(values) == max(values):
        return number(values[0])
    return f"{number(median(values))} ({number(min(values))}..{number(max(values))})"


def grid(head, rows):
    """An aligned Markdown table: text to the left, figures to the right."""
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]

    def line(cells):
        text = [cells[0].ljust(widths[0])]
        text += [cell.rjust(width) for cell, width in zip(cells[1:], widths[1:])]
        return "| " + " | ".join(text) + " |"

    ruler = ["-" * widths[0]] + ["-" * (width - 1) + ":" for width in widths[1:]]
    return "\n".join([line(head), "| " + " | ".join(ruler) + " |", *map(line, rows)])


def notes_of(rows):
    notes = [f"{label}: {row['note']}." for label, row in rows.items() if row["note"]]
    return "\n\n" + " ".join(notes) if notes else ""


def table_text(table):
    """One question: ours, the references, the peers, and each form of ours over theirs."""
    forms = [label for label in table["ours"]
             if any(row["ratios"].get(label) for row in table["rows"].values())]
    head = ["", table["unit"]] + [METRIC_NAMES[metric] for metric in table["more"]]
    head += [f"{form} / it" for form in forms]
    rows = []
    for label, row in table["rows"].items():
        cells = [label + (" *" if row["note"] else ""), spread(row["samples"][table["metric"]])]
        for metric in table["more"]:
            values = row["samples"].get(metric)
            cells.append(number(median(values)) if values else "-")
        for form in forms:
            ratios = row["ratios"].get(form)
            cells.append(spread(ratios) if ratios else "")
        rows.append(cells)
    better = "lower" if table["lower_is_better"] else "higher"
    return f"{grid(head, rows)}\n\n({better} is better){notes_of(table['rows'])}"


def series_text(series):
    head = [""] + [METRIC_NAMES[metric] for metric in series["metrics"]]
    rows = []
    for label, row in series["rows"].items():
        values = [row["samples"].get(metric) for metric in series["metrics"]]
        rows.append([label] + [number(median(v)) if v else "-" for v in values])
    return grid(head, rows)


def body_of(table):
    return series_text(table) if "metrics" in table else table_text(table)


def figure(value):
    return "-" if value is None else number(value)


def bars_text(bars):
    """Ours and theirs are medians; the median of their ratios need not be the medians' ratio."""
    rows = []
    for bar in bars:
        value = "-" if bar["value"] is None else number(bar["value"][0])
        value = value if bar["is_ratio"] else ""
        around = ""
        if bar["value"] and bar["value"][1] != bar["value"][2]:
            around = f"{number(bar['value'][1])}..{number(bar['value'][2])}"
        what = bar["what"] + (" (moonshot)" if bar["moonshot"] else "")
        what += f" [{bar['note']}]" if bar["note"] else ""
        limit = f"{bar['comparison']} {bar['limit']:g}"
        rows.append([what, figure(bar["ours"]),
                     figure(bar["theirs"]) if bar["is_ratio"] else "", value, around, limit,
                     bar["verdict"]])
    return grid(["in the same run", "ours", "theirs", "ratio", "spread", "bar", ""], rows)


def lead_of(table, row, form):
    """By which factor a peer is ahead of a form of ours: (median, least), both above 1 if it
    always is; None if that was not measured."""
    ratios = row["ratios"].get(form)
    if not ratios:
        return None
    leads = ratios if table["lower_is_better"] else [1 / ratio for ratio in ratios]
    return median(leads), min(leads)


def sentence(table, label, form, lead):
    how = f"is ahead of {form} by {number(lead[0])}x"
    if lead[0] < LEVEL:
        how = f"is level with {form}"
    elif lead[1] <= 1:
        how += ", though not in each round"
    text = f"- {table['title']}: **{label}** {how}"
    note = table["rows"][label]["note"]
    return text + (f" ({note})" if note else "") + "."


def not_first_text(tables):
    """The rows where a peer beats our plain form, and whether another form of ours makes up."""
    lines = []
    for table in tables.values():
        if "metrics" in table or not table["ours"]:
            continue
        form, *others = table["ours"]
        for label, row in table["rows"].items():
            lead = lead_of(table, row, form) if row["kind"] == "peer" else None
            if lead is None or lead[0] <= 1:
                continue
            line = sentence(table, label, form, lead)
            better = [other for other in others if (lead_of(table, row, other) or (2, 2))[0] <= 1]
            if better:
                line += f" It is behind {' and '.join(better)}."
            lines.append(line)
    return "\n".join(lines) or "No peer that was measured beats us in these tables."


def machine_text(results):
    machine = results["machine"]
    others, stolen = results["foreign_cpus"]
    lines = [
        f"- {machine['cpu']}, {machine['cpus']} CPUs, {machine['memory_gib']} GiB of memory; "
        f"virtualisation: {machine['virtualisation']}",
        f"- {machine['system']}, Linux {machine['kernel']}",
        f"- {machine['date']}, commit {machine['commit']}",
        f"- {results['rounds']} rounds; meanwhile other processes took {others:.2f} CPUs, and "
        f"{stolen:.2f} were taken from the machine",
        "- " + ", ".join(f"{name} {version}" for name, version in machine["versions"].items()),
    ]
    return "\n".join(lines + [f"- {line}" for line in results["left_out"]])


def floors_text(floors):
    rows = [[floor["what"].replace("_", " "), str(floor["threads"]), number(floor["value"]),
             floor["unit"].replace("_", " ")] for floor in floors]
    return grid(["", "threads", "", "unit"], rows)


def results_markdown(results):
    """All of bench/RESULTS.md."""
    parts = [
        "# Results",
        "Written by `bench/run.py --results`; [README.md](README.md) tells how to read it. Each "
        "figure is the median over the rounds, with the lowest and the highest; ratios are of runs "
        "right after each other. A star points to a note below the table.",
        "## The machine", machine_text(results),
        "## The bars", bars_text(results["bars"]),
        "## Where we are not first", not_first_text(results["tables"]),
    ]
    for table in results["tables"].values():
        parts += [f"## {table['title']}", body_of(table)]
    if results["floors"]:
        parts += ["## What the machine itself costs, and the floors of fork-join",
                  floors_text(results["floors"])]
    return "\n\n".join(parts) + "\n"


def terminal_text(results):
    parts = []
    for table in results["tables"].values():
        parts += [f"== {table['title']}", body_of(table)]
    parts += ["== Bars", bars_text(results["bars"]),
              "== Where we are not first", not_first_text(results["tables"])]
    others, _ = results["foreign_cpus"]
    if others > 0.1:
        parts.append(f"WARNING: other processes took {others:.2f} CPUs meanwhile; do not trust "
                     "these figures.")
    return "\n\n".join(parts)
