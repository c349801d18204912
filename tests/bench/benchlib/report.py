"""Tables and verdicts."""


class Report:
    """Collects sections and verdicts; prints as it goes, so that a run that is cut short has shown something."""

    def __init__(self):
        self.data = {"tables": {}, "verdicts": [], "notes": []}
        self.missing = []

    def say(self, text=""):
        print(text, flush=True)

    def note(self, text):
        self.data["notes"].append(text)
        self.say("  note: " + text)

    def not_measured(self, what, why):
        self.missing.append(f"{what}: {why}")
        self.data["notes"].append(f"NOT MEASURED {what}: {why}")
        self.say(f"  NOT MEASURED {what}: {why}")

    def heading(self, text):
        self.say()
        self.say(text)
        self.say("-" * len(text))

    def table(self, title, measured, base, cpu_unit="us"):
        """<measured>: {connections: {name: medians}}; ratios are to <base>, of the same rounds."""
        self.data["tables"][title] = measured
        self.heading(title)
        short = "CPU us/req" if cpu_unit == "us" else "CPU ms/req"
        self.say(f"{'connections':>11}  {'server':<22} {'requests/s':>11} {'p50 us':>10} {'p99 us':>10} {short:>10}"
                 f"   {'rate':>6} {'CPU':>6}  of {base}")
        for connections, by_name in measured.items():
            for name, m in by_name.items():
                self.say(self.row(connections, name, m, by_name.get(base), cpu_unit))
                connections = ""

    @staticmethod
    def row(connections, name, m, base, cpu_unit):
        cpu = m["cpu_us"] if cpu_unit == "us" else m["cpu_us"] / 1000
        text = (f"{connections:>11}  {name:<22} {m['rate']:>11.0f} {m['p50_us']:>10.0f} {m['p99_us']:>10.0f} "
                + (f"{cpu:>10.2f}" if m["cpu_us"] else f"{'-':>10}"))
        if base:
            text += f"   {m['rate'] / base['rate']:>6.2f}"
            text += f" {m['cpu_us'] / base['cpu_us']:>6.2f}" if m["cpu_us"] and base["cpu_us"] else f" {'-':>6}"
        return text

    def verdict(self, what, value, at_most=None, at_least=None, unit="x"):
        """A row of the last table: PASS when the value keeps to its bound."""
        good = value <= at_most if at_most is not None else value >= at_least
        bound = f"<= {at_most:g}" if at_most is not None else f">= {at_least:g}"
        self.data["verdicts"].append({"what": what, "value": value, "target": bound, "unit": unit, "pass": good})

    def verdict_missing(self, what, target):
        self.data["verdicts"].append({"what": what, "value": None, "target": target, "unit": "", "pass": None})

    def print_verdicts(self):
        if not self.data["verdicts"]:
            return
        self.heading("Targets")
        words = {True: "PASS", False: "MISS", None: "NOT MEASURED"}
        for v in self.data["verdicts"]:
            value = "-" if v["value"] is None else f"{v['value']:.3g} {v['unit']}"
            self.say(f"{v['what']:<66} {value:>12}  target {v['target']:>7}  {words[v['pass']]}")
