import pytest

from facilities.kernel.refusals import Invalid, Refusal, Refused, raise_if


def test_a_refusal_without_facts_has_none() -> None:
    assert dict(Refusal("session_full").facts) == {}


def test_what_is_raised_carries_the_code_and_the_facts() -> None:
    refused = Refused("limit_reached", limit=3, per="week")
    assert refused.refusal == Refusal("limit_reached", {"limit": 3, "per": "week"})
    assert str(refused) == "limit_reached"


@pytest.mark.parametrize(
    "refusal",
    [
        pytest.param(Refusal("session_full"), id="no facts"),
        pytest.param(Refusal("not_eligible", {"rule": "min_age", "age": 2}), id="facts"),
        pytest.param(Refusal("in_use", {"code": "x", "self": 1}), id="facts named like the parameters"),
    ],
)
def test_a_refusal_survives_being_raised(refusal: Refusal) -> None:
    assert Refused.because(refusal).refusal == refusal
    with pytest.raises(Refused) as caught:
        raise_if(refusal)
    assert caught.value.refusal == refusal


def test_no_refusal_raises_nothing() -> None:
    raise_if(None)


def test_invalid_input_names_each_field() -> None:
    invalid = Invalid(name="required", phone="bad_phone")
    assert invalid.fields == {"name": "required", "phone": "bad_phone"}
    assert str(invalid) == "name, phone"
