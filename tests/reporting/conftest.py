"""One browser for all tests of pages."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.reporting.browser import FOUND, MISSING, Browser


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    if FOUND is None:
        pytest.skip(MISSING)
    with Browser.open(tmp_path_factory.mktemp("browser")) as browser:
        yield browser
