"""The file of forecasts."""

import pytest

from replay.errors import DataError
from replay.forecasts.table import load_forecasts

HEAD = "ready_ts_ns,bar_close_ts_ns,symbol,horizon_min,forecast_id,mu_bps,sigma_bps,trained_ts_ns\n"


def test_a_file_may_say_when_its_models_were_trained(tmp_path):
    """An empty cell is a model of unknown age."""
    path = tmp_path / "forecasts.csv"
    path.write_text(HEAD + "20,10,A,5,1,1.0,1.0,7\n30,20,A,5,2,1.0,1.0,\n")

    assert [7, 0] == load_forecasts(path, {"A": 0}, ["A"]).rows["trained_ts_ns"].tolist()


def test_a_model_that_was_trained_on_the_future_is_refused(tmp_path):
    """Training that ended after the forecast was ready looks ahead."""
    path = tmp_path / "forecasts.csv"
    path.write_text(HEAD + "20,10,A,5,1,1.0,1.0,7\n30,20,A,5,2,1.0,1.0,31\n")

    with pytest.raises(DataError, match=r"^forecasts.csv row 1: trained_ts_ns 31 is after its ready_ts_ns"):
        load_forecasts(path, {"A": 0}, ["A"])
