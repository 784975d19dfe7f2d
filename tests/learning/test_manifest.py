"""What a training took, in figures worked out by hand."""

from learning.manifest import price


def test_an_hour_on_a_cpu_takes_no_gpu_and_the_usual_watts_of_its_threads() -> None:
    priced = price(3600, "cpu", threads=8)
    assert (priced["device_seconds"], priced["gpu_seconds"], priced["cost"]) == (3600, 0, None)
    assert priced["energy"] == {"kwh": 0.08, "is_estimate": True, "watts": 80, "watts_by": "default"}


def test_half_an_hour_on_a_gpu_is_priced_as_the_company_says() -> None:
    priced = price(1800, "cuda", threads=8, currency="EUR", hour=2.4, watts=700)
    assert (priced["device_seconds"], priced["gpu_seconds"]) == (1800, 1800)
    assert priced["energy"] == {"kwh": 0.35, "is_estimate": True, "watts": 700, "watts_by": "setting"}
    assert priced["cost"] == {"amount": 1.2, "currency": "EUR"}


def test_what_is_free_costs_nothing_rather_than_an_unknown_sum() -> None:
    assert price(60, "cpu", threads=1, hour=0, watts=0)["cost"] == {"amount": 0, "currency": "USD"}
