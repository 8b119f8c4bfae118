"""Environment variables that the harness reads."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from harness.errors import InputError
from harness.manifest import Ports, Settings, read_settings
from harness.manifest.settings import VARIABLES

READ: dict[str, tuple[Mapping[str, str], Settings]] = {
    "nothing set": ({}, Settings()),
    "a port": ({"HARNESS_WORKBENCH_PORT": "4600"}, Settings(workbench_port=4600)),
    "any free port": ({"HARNESS_PUBLIC_PORT": "0"}, Settings(public_port=0)),
    "two free ports": (
        {"HARNESS_PUBLIC_PORT": "0", "HARNESS_WORKBENCH_PORT": "0"},
        Settings(public_port=0, workbench_port=0),
    ),
    "a clock factor": ({"HARNESS_CLOCK_FACTOR": "3600"}, Settings(clock_factor=3600.0)),
    "a folder": ({"HARNESS_STATE": "/var/lib/harness"}, Settings(state=Path("/var/lib/harness"))),
    "an empty variable counts as not set": ({"HARNESS_WORKBENCH_PORT": ""}, Settings()),
    "variables of other programs are left alone": ({"HARNESS_CONFORMANCE": "x", "PORT": "y"}, Settings()),
}


@pytest.mark.parametrize(("environment", "settings"), READ.values(), ids=READ.keys())
def test_settings_are_read(environment: Mapping[str, str], settings: Settings) -> None:
    assert read_settings(environment) == settings


PORT = "is not a port: a whole number from 0 to 65535, 0 takes a free one"
REFUSED: dict[str, tuple[Mapping[str, str], list[str]]] = {
    "words": ({"HARNESS_WORKBENCH_PORT": "abc"}, [f'HARNESS_WORKBENCH_PORT: "abc" {PORT}']),
    "out of range": ({"HARNESS_WORKBENCH_PORT": "65536"}, [f'HARNESS_WORKBENCH_PORT: "65536" {PORT}']),
    "negative": ({"HARNESS_WORKBENCH_PORT": "-1"}, [f'HARNESS_WORKBENCH_PORT: "-1" {PORT}']),
    "digits of another script": ({"HARNESS_PUBLIC_PORT": "٤٥"}, [f'HARNESS_PUBLIC_PORT: "٤٥" {PORT}']),
    "one port for two listeners": (
        {"HARNESS_PUBLIC_PORT": "4600", "HARNESS_WORKBENCH_PORT": "4600"},
        ["HARNESS_PUBLIC_PORT: port 4600 is already that of HARNESS_WORKBENCH_PORT"],
    ),
    "a clock that is slowed down": (
        {"HARNESS_CLOCK_FACTOR": "0.5"},
        ['HARNESS_CLOCK_FACTOR: "0.5" is not a clock factor: a number from 1 to 100,000'],
    ),
    "a clock factor that is no number": (
        {"HARNESS_CLOCK_FACTOR": "nan"},
        ['HARNESS_CLOCK_FACTOR: "nan" is not a clock factor: a number from 1 to 100,000'],
    ),
    "a file for a folder": (
        {"HARNESS_STATE": __file__},
        [f'HARNESS_STATE: "{__file__}" is not a folder: name one, or one that can be made'],
    ),
    "a name with a letter missing": (
        {"HARNESS_WORKBENCH_PRT": "1"},
        ['HARNESS_WORKBENCH_PRT: unknown setting (did you mean "HARNESS_WORKBENCH_PORT"?)'],
    ),
    "several at once": (
        {"HARNESS_WORKBENCH_PORT": "x", "HARNESS_PUBLIC_PORT": "y"},
        [f'HARNESS_PUBLIC_PORT: "y" {PORT}', f'HARNESS_WORKBENCH_PORT: "x" {PORT}'],
    ),
}


@pytest.mark.parametrize(("environment", "problems"), REFUSED.values(), ids=REFUSED.keys())
def test_settings_are_refused(environment: Mapping[str, str], problems: list[str]) -> None:
    with pytest.raises(InputError) as raised:
        read_settings(environment)
    assert str(raised.value).splitlines() == problems


def test_the_environment_goes_before_the_manifest() -> None:
    of_manifest = Ports(workbench=4566, public=4567)
    assert Settings().ports(of_manifest) == of_manifest
    assert Settings(workbench_port=0).ports(of_manifest) == Ports(workbench=0, public=4567)
    assert Settings(public_port=4600).ports(of_manifest) == Ports(workbench=4566, public=4600)


def test_every_setting_has_a_field() -> None:
    assert {variable.field for variable in VARIABLES.values()} == set(Settings.__slots__)
