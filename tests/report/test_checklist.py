import json

import numpy as np

from replay.checklist import verification_rows
from strategy.decision import CYCLE
from tests.report.worlds import CONTEXT, Maker, rows


def test_a_run_without_rows_cannot_be_judged():
    """All six checks answer NOT_ENOUGH_DATA, and so does the whole."""
    answer = verification_rows(rows(), CONTEXT)

    assert ["NOT_ENOUGH_DATA"] * 6 == [check["status"] for check in answer["checks"]]
    assert "NOT_ENOUGH_DATA" == answer["worst"]


def test_a_run_is_judged_by_its_rows():
    """Cycles without error pass their check, and the answer is JSON."""
    cycles = np.zeros(200, CYCLE)
    cycles["n_symbols"] = 2
    cycles["weight_sum_min"] = cycles["weight_sum_max"] = 1.0

    answer = verification_rows(Maker().day()._replace(cycles=cycles), CONTEXT)

    json.dumps(answer, allow_nan=False)
    status = {check["name"]: check["status"] for check in answer["checks"]}
    assert ("PASS", "PASS", "PASS") == (status["component_errors"], status["weights_normal"], status["execution_sla"])
