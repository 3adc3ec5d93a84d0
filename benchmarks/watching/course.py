"""A whole run of the risk benchmark, section by section."""

import os
import time

from benchmarks.screen import Screen
from benchmarks.server import describe_host
from benchmarks.storming.course import measure_storm
from benchmarks.watching.plan import RiskPlan
from benchmarks.watching.report import RiskReport
from benchmarks.watching.ticking import measure_watch
from ledger import collect_seldom


def run(plan: RiskPlan, screen: Screen) -> RiskReport:
    """Measure what the plan says."""
    started = time.monotonic()
    collect_seldom()
    machine = {**describe_host(), "load_before": os.getloadavg()[0]}
    sections = [measure_watch(plan, screen), measure_storm(plan, screen)]
    return RiskReport(plan, machine, sections, time.monotonic() - started)
