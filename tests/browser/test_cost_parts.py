"""What the price's panel makes of answers and of time. Refusals are those that the gateway makes."""

import json
from typing import Any

import pytest

from gateway.cost.budget import Standing
from gateway.cost.limits import check_price, throttled
from gateway.errors import CostLimitExceededError, GatewayError, UnauthenticatedError
from gateway.pipeline.respond import encoded, refusal
from gateway.terms import Bucket
from gateway.web.default_query import DEFAULT_QUERY
from tests.browser.conftest import Run
from tests.cost.priced import gateway

BUCKET = Bucket(size=2000, rate=100)


def refused(error: GatewayError) -> dict[str, Any]:
    """An answer, as the page reads it."""
    answer = refusal(error, "a-request")
    body = json.loads(encoded(answer))
    return {"status": answer.status, "body": body, "kept": False, "retryAfterSeconds": answer.retry_after_seconds}


def answered(asked: int, cost: int, *, kept: bool = False) -> dict[str, Any]:
    told = {"requestedQueryCost": asked, "actualQueryCost": cost}
    return {"status": 200, "body": {"data": {}, "extensions": {"cost": told}}, "kept": kept, "retryAfterSeconds": 0}


def test_points_come_back_at_a_steady_rate_until_the_budget_is_full(run: Run) -> None:
    module = """
        import { availableAt, budgetAt, momentOf } from "./budget.js";
        const budget = budgetAt(5000, given[0]);
        const available = [4000, 5000, 6500, 60000].map((now) => availableAt(now, budget));
        tell([available, momentOf(300, budget), momentOf(900, budget), momentOf(1000, budget), momentOf(1001, budget)]);
    """
    status = {"maximumAvailable": 1000, "currentlyAvailable": 400, "restoreRate": 100}
    never = None  # Infinity, in JSON
    assert run(module, status) == [[400, 400, 550, 1000], 5000, 10_000, 11_000, never]


def test_points_and_times_are_told_in_words(run: Run) -> None:
    module = """
        import { durationOf, pointsOf, shareOf } from "./words.js";
        tell([given[0].map(pointsOf), given[1].map(shareOf), given[2].map(durationOf)]);
    """
    points, shares, seconds = [0, 1, 999.9, 12_340, 1_000_000], [0.01, 0.25, 4, 9.96, 330.4], [0.2, 59, 60, 61, 7201]
    assert run(module, points, shares, seconds) == [
        ["0 points", "1 point", "999 points", "12\u00a0340 points", "1\u00a0000\u00a0000 points"],
        ["< 0.1", "0.3", "4", "10", "330"],
        ["1 second", "59 seconds", "1 minute", "2 minutes", "3 hours"],
    ]


def test_an_operation_above_the_ceiling_shows_its_price_and_what_would_make_it_cheaper(run: Run) -> None:
    with pytest.raises(CostLimitExceededError) as error:
        check_price(gateway().price(DEFAULT_QUERY), {}, 400, may_advise=lambda: True)
    module = """
        import { Costs } from "./costs.js";
        const [run, dryRun] = [new Costs(), new Costs()];
        run.finished(given[0]);
        dryRun.priced(given[0]);
        tell([run.get().outcome, run.get().price, dryRun.get().price]);
    """
    price = {"points": 540, "most": 400, "paths": error.value.extensions["dearest"]}
    assert run(module, refused(error.value)) == ["Refused: more than 400 points", price, price]


def test_a_throttled_operation_tells_when_it_fits(run: Run) -> None:
    answer = refused(throttled(900, Standing(BUCKET, spent=1500, held=250)))
    module = """
        import { outcomeOf, priceOf, secondsRefused } from "./answers.js";
        tell([priceOf(given[0]), outcomeOf(given[0]), secondsRefused(given[0])]);
    """
    assert run(module, answer) == [None, "Refused for now", 7]  # 650 points are short, 100 come back a second


def test_a_run_tells_what_was_asked_and_what_it_cost(run: Run) -> None:
    module = 'import { outcomeOf } from "./answers.js"; tell(given.map(outcomeOf));'
    untold = {"status": 200, "body": {"data": {}}, "kept": False, "retryAfterSeconds": 0}
    assert run(module, answered(1596, 412), answered(596, 1, kept=True), untold) == [
        "Asked 1\u00a0596, cost 412",
        "1: out of the cache",
        None,
    ]


def test_where_prices_are_off_and_a_dry_run_tells_nothing_there_is_no_panel(run: Run) -> None:
    module = """
        import { Costs } from "./costs.js";
        const costs = new Costs();
        tell(given.map((answer) => (costs.priced(answer), costs.get().on)));
    """
    off = {"status": 200, "body": {"data": None}, "kept": False, "retryAfterSeconds": 0}
    executed = answered(1, 1)  # a proxy dropped the header
    assert run(module, refused(UnauthenticatedError()), off, executed) == [True, False, False]


def test_a_running_operation_holds_its_price_and_gives_back_what_it_did_not_cost(run: Run) -> None:
    module = """
        import { Costs } from "./costs.js";
        const [priced, answer] = given;
        const costs = new Costs();
        const held = (done) => (done, costs.get().held);
        const seen = [held(costs.priced(priced)), held(costs.started()), held(costs.finished(answer))];
        costs.set({ old: true }); // the price of what was changed since is not known
        tell([...seen, held(costs.started())]);
    """
    priced = answered(596, 0)
    priced["body"]["extensions"]["cost"]["fields"] = []
    assert run(module, priced, answered(596, 412)) == [0, 596, 0, 0]


def test_one_question_is_asked_at_a_time_and_the_newest_last(run: Run) -> None:
    module = """
        import { whenQuiet } from "./quiet.js";
        const seen = [];
        let text = "a";
        const later = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
        const ask = whenQuiet(async () => {
          const asked = text;
          seen.push(`asked ${asked}`);
          for (text of asked === "a" ? ["b", "c"] : []) await later((ask(), 5)); // typed on before it is answered
          seen.push(`answered ${asked}`);
          if (asked === "c") tell(seen);
        }, 1);
        ask();
        ask();
    """
    assert run(module) == ["asked a", "answered a", "asked c", "answered c"]
