"""What is encrypted, signed and hashed, and that meddling with it is noticed."""

import pytest
from argon2 import Type, extract_parameters
from cryptography.fernet import Fernet

from facilities.accounts import services
from facilities.infra.encryption import Cipher, Unreadable

NUMBER = "500104199003071234"
KEYS = tuple(Fernet.generate_key().decode() for _ in range(2))


def test_v11_3_1_and_v11_3_4_the_same_number_is_never_encrypted_alike() -> None:
    cipher = Cipher.of(KEYS)
    sealed = {cipher.encrypt(NUMBER) for _ in range(50)}
    assert len(sealed) == 50
    assert {cipher.decrypt(one) for one in sealed} == {NUMBER}


def test_v11_3_3_and_v11_2_5_a_changed_character_is_noticed_and_says_nothing() -> None:
    cipher = Cipher.of(KEYS)
    sealed = cipher.encrypt(NUMBER)
    for place in range(0, len(sealed) - 2, 5):  # the very last characters may be padding
        changed = sealed[:place] + ("A" if sealed[place] != "A" else "B") + sealed[place + 1 :]
        with pytest.raises(Unreadable) as caught:
            cipher.decrypt(changed)
        assert NUMBER not in str(caught.value)


def test_v11_2_2_a_key_is_exchanged_for_a_newer_one() -> None:
    older = Cipher.of(KEYS[1:])
    sealed = older.encrypt(NUMBER)
    both = Cipher.of(KEYS)
    again = both.again(sealed)
    assert Cipher.of(KEYS[:1]).decrypt(again) == NUMBER
    with pytest.raises(Unreadable):
        older.decrypt(again)


def test_v11_4_1_a_number_is_found_by_a_hash_that_needs_the_key() -> None:
    one, other = Cipher.of(KEYS[:1]), Cipher.of(KEYS[1:])
    assert one.lookup(NUMBER) == one.lookup(NUMBER) != other.lookup(NUMBER)
    assert len(bytes.fromhex(one.lookup(NUMBER))) == 32


def test_v11_4_2_passwords_are_hashed_as_owasp_says() -> None:
    """Password Storage Cheat Sheet: Argon2id with 19 MiB, 2 rounds and 1 lane, or more."""
    found = extract_parameters(services.hash_password("correct horse battery", staff=True))
    assert found.type is Type.ID
    assert (found.memory_cost >= 19 * 1024, found.time_cost >= 2, found.salt_len >= 16) == (True, True, True)
