"""The table of fees: a user's own rules over the bundled ones, and what is wrong with a table."""

from datetime import date

import pytest

from fills.fee_table import FeeSettings, rule_on, venue_rule
from fills.fees import FeeSchedule
from replay.errors import ConfigError

DAY = date(2026, 5, 4)
OWN = """
[[rule]]
id = "fixed"
per_share_usd = 0.004
minimum_usd = 0.5
cap_share = 0.01
valid_from = 2026-01-01
valid_to = 2026-12-31
source = "my contract"
status = "verified"
"""


@pytest.fixture
def own(tmp_path):
    """Return a function that writes an own table and returns its path."""

    def write(text):
        path = tmp_path / "my.toml"
        path.write_text(text)
        return str(path)

    return write


def test_an_own_rule_replaces_the_bundled_one_and_leaves_the_others(own):
    """The own commission holds, the bundled SEC fee too; on a day that the own rules do not cover there is none."""
    table = own(OWN)
    found = FeeSchedule.of(DAY, FeeSettings(plan="fixed", table=table))

    assert (4_000_000, 500_000) == (
        found.fee_micros(side="BUY", qty=1000, price=25.0),
        found.fee_micros(side="BUY", qty=1, price=99.0),
    )
    assert rule_on("us.sec", DAY) == rule_on("us.sec", DAY, table)
    with pytest.raises(Exception, match="no rule `fixed` for 2025-06-02; it covers 2026-01-01 to 2026-12-31"):
        rule_on("fixed", date(2025, 6, 2), table)


def test_an_own_venue_is_found_by_any_of_its_names(own):
    """A rule of an own venue serves its id and its other names, on its days only."""
    text = OWN.replace('"fixed"', '"venue.MOON"').replace("per_share_usd = 0.004", "add_usd = -0.001\nremove_usd = 0.002")
    table = own(text.replace("minimum_usd = 0.5\ncap_share = 0.01", 'names = ["LUNA"]'))

    assert [-0.001, -0.001] == [venue_rule(name, DAY, table)["add_usd"] for name in ("MOON", "LUNA")]
    assert [None, None] == [venue_rule("MARS", DAY, table), venue_rule("LUNA", date(2024, 1, 2), table)]


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (OWN, "[[rule", "is not valid TOML"),
        (OWN, "", "must hold [[rule]] blocks and nothing else"),
        (OWN, "fees = 3\n" + OWN, "must hold [[rule]] blocks and nothing else"),
        ('"fixed"', '"fixd"', "rule 0 (`fixd`): `id` must be one of fixed, tiered, venue, us.sec"),
        ("minimum_usd = 0.5\n", "", "rule 0 (`fixed`) lacks `minimum_usd`"),
        ("cap_share", "cap_shar", "rule 0 (`fixed`) lacks `cap_share`"),
        ("cap_share = 0.01", "cap_share = 0.01\nminimum = 1", "rule 0 (`fixed`) has the unknown key `minimum`"),
        ("= 0.004", "= '0.004'", "`per_share_usd` must be a number, got '0.004'"),
        ("= 2026-12-31", "= 'never'", "`valid_to` must be a date such as 2026-01-31, got 'never'"),
        ("= 2026-12-31", "= 2025-12-31", "`valid_to` 2025-12-31 is before `valid_from` 2026-01-01"),
        ('"verified"', '"sure"', "`status` must be one of verified, reported, assumed, got 'sure'"),
        (OWN, OWN + OWN, "two rules `fixed` hold on 2026-01-01"),
    ],
)
def test_an_odd_table_is_refused_with_its_place(own, old, new, sentence):
    """Each oddity is one clear sentence with file, rule and key."""
    with pytest.raises(ConfigError) as caught:
        FeeSchedule.of(DAY, FeeSettings(table=own(OWN.replace(old, new))))

    assert sentence in str(caught.value)
    assert "my.toml" in str(caught.value)


def test_tiers_that_do_not_fit_their_rates_are_refused(own):
    """A tiered rule needs ascending edges and one rate more."""
    tiers = "tier_until_qty = [300, 200]\ntier_usd = [0.1, 0.2, 0.3]\nclearing_usd = 0\nfinra_share = 0\nnyse_share = 0"
    text = OWN.replace('"fixed"', '"tiered"').replace("per_share_usd = 0.004", tiers)
    with pytest.raises(ConfigError, match="`tier_until_qty` must ascend and `tier_usd` hold one rate more"):
        FeeSchedule.of(DAY, FeeSettings(plan="tiered", table=own(text)))


def test_a_missing_table_is_refused():
    """A path to nothing is named."""
    with pytest.raises(ConfigError, match=r"cannot read the fee table `none.toml`"):
        rule_on("fixed", DAY, "none.toml")
