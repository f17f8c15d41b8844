"""Plans, controllers and link estimators from Python."""

import json
import math
import re
import shutil
import threading

import pytest
import strait
from conftest import GOLDEN

PLANS = GOLDEN / "plan"


@pytest.fixture
def plan():
    return strait.Plan.load(PLANS / "valid.json")


def test_a_plan_says_what_its_file_says(plan):
    text = json.loads((PLANS / "valid.json").read_text())
    assert (plan.backbone_hash, plan.device, plan.server) == (text["backbone_hash"], text["device"], text["server"])
    assert (plan.idle_watts, plan.joules_per_byte, plan.switch_seconds) == (1.5, 1e-6, 0.02)
    assert len(plan.entries) == len(text["entries"])
    for entry, wanted in zip(plan.entries, text["entries"]):
        assert {key: getattr(entry, key) for key in wanted} == wanted
    for model, wanted in zip(plan.models, text["models"]):
        assert (model.split, model.file, f"{model.id:016x}") == (wanted["split"], wanted["file"], wanted["id"])
    assert "6 entries" in repr(plan) and "layer1" in repr(plan.entries[1]) and "layer1" in repr(plan.models[0])


@pytest.mark.parametrize("line", (PLANS / "expected.txt").read_text().splitlines())
def test_broken_plans_are_refused_for_their_reason(line):
    name, status = line.split(maxsplit=1)
    with pytest.raises(strait.StraitError, match=name) as caught:
        strait.Plan.load(PLANS / name)
    assert caught.value.status == status
    with pytest.raises(strait.StraitError):
        strait.Plan.from_bytes((PLANS / name).read_bytes())


def test_a_missing_plan_is_an_os_error(tmp_path):
    with pytest.raises(OSError, match="nowhere.json"):
        strait.Plan.load(tmp_path / "nowhere.json")


def test_latency_and_energy_add_the_network(plan):
    channel = strait.ChannelState(1e5, 0.03, server_load=0.5)
    split, local = plan.entries[1], plan.entries[0]
    assert plan.latency(split, channel) == pytest.approx(0.02 + 0.03 + 0.04 + 0.008)
    assert plan.energy(split, channel) == pytest.approx(0.1 + 0.004 + 1.5 * 0.078)
    assert plan.latency(split, channel, 3) == pytest.approx(3 * plan.latency(split, channel))
    assert plan.latency(local, strait.ChannelState()) == 0.2
    assert plan.latency(split, strait.ChannelState()) == math.inf


def test_choices_follow_the_channel(plan):
    controller = strait.Controller(plan, horizon_requests=0)
    assert controller.plan.switch_seconds == plan.switch_seconds
    choice = controller.choose(strait.ChannelState(1e9, 1e-3))
    assert (choice.index, choice.entry.split, choice.switched) == (5, "raw", False)
    choice = controller.choose(strait.ChannelState(3e4, 1e-3), min_accuracy=75)
    assert (choice.index, choice.entry.route, choice.switched) == (3, "split", True)
    steady = plan.latency(choice.entry, strait.ChannelState(3e4, 1e-3))
    assert choice.latency_seconds == steady + plan.switch_seconds
    assert choice.energy_joules == plan.energy(choice.entry, strait.ChannelState(3e4, 1e-3))
    choice = controller.choose(strait.ChannelState(3e4, 1e-3), deadline_seconds=1e-4, min_accuracy=90)
    assert (choice.meets_deadline, choice.meets_accuracy) == (False, False)
    controller.reset()
    choice = controller.choose(strait.ChannelState(math.nan), deadline_seconds=math.nan, batch=-1)
    assert (choice.entry.route, choice.switched) == ("local", False)
    assert choice.fallback is None and choice.give_up_seconds == math.inf
    assert "local" in repr(choice)


def test_a_choice_outlives_its_controller_and_plan():
    choice = strait.Controller(strait.Plan.load(PLANS / "valid.json")).choose(strait.ChannelState(1e9, 1e-3))
    assert choice.entry.split == "raw"


def test_a_channel_state_can_be_filled_in():
    estimator = strait.LinkEstimator(bytes_per_second=5e6)
    state = estimator.state(0)
    assert state.bytes_per_second == pytest.approx(5e6)
    state.server_load, state.seconds_per_joule = 0.5, 0.1
    assert (state.server_load, state.seconds_per_joule) == (0.5, 0.1)
    assert "5e+06" in repr(state)


def test_the_estimator_finds_rate_and_round_trip():
    estimator = strait.LinkEstimator()
    assert estimator.needs_probe(0)
    for i in range(50):
        size = 100 if i % 2 else 1e5
        estimator.observe(0.2 * i, size, 0.03 + size / 1e5)
    state = estimator.state(10)
    assert state.bytes_per_second == pytest.approx(1e5, rel=0.1)
    assert state.rtt_seconds == pytest.approx(0.03, rel=0.1)
    assert state.low_bytes_per_second < state.bytes_per_second and state.high_rtt_seconds > state.rtt_seconds
    assert not estimator.needs_probe(10) and estimator.needs_probe(60)
    for i in range(3):
        estimator.observe_timeout(10 + i, 100, 1.0)
    assert estimator.state(13).rtt_seconds > 0.3


def test_the_example_of_the_documentation_runs(tmp_path, monkeypatch):
    page = (GOLDEN.parents[1] / "docs" / "python.md").read_text()
    (code,) = [block for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL) if "Controller(" in block]
    shutil.copy(PLANS / "valid.json", tmp_path / "plan.json")
    monkeypatch.chdir(tmp_path)
    names = {"strait": strait, "run": lambda entry: (1000, 0.2)}
    exec(code, names)  # pylint: disable=exec-used
    assert names["choice"].index < len(names["plan"].entries) and not names["link"].needs_probe(0)


def test_many_threads_may_share_all_of_them(plan):
    controller, estimator, failures = strait.Controller(plan), strait.LinkEstimator(), []

    def work(seed):
        try:
            for i in range(300):
                estimator.observe(i, 100 + seed, 0.05)
                assert 0 <= controller.choose(estimator.state(i), deadline_seconds=0.1 * seed).index < 6
        except Exception as error:  # pylint: disable=broad-except
            failures.append(error)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
