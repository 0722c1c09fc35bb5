"""Every file of the corpus gets its verdict, for its reason, soon and in little memory."""

from __future__ import annotations

import re
import resource
import time
from pathlib import Path

from model_heritage_backend.errors import HeritageError
from model_heritage_backend.weights import Limits
from model_heritage_backend.weights.formats import parse_weights
from tests.processor_time import spent_less
from tests.weights.corpus import Case, build_corpus

MOST_SECONDS = 5
MOST_GROWTH_KB = 256_000


def judge(path: Path, case: Case) -> str | None:
    """What is wrong with the verdict."""
    path.write_bytes(case.data)
    start = time.process_time()
    try:
        # In this process, so that the parser itself is measured and not the process around it.
        with parse_weights(path, limits=Limits()) as weights:
            for tensor in weights.values():
                for _ in tensor.iterate_raw(1 << 18):
                    pass
        found = None
    except HeritageError as error:
        found = error.detail
    if not spent_less(MOST_SECONDS, since=start):
        return f"{case.name}: took too long"
    if (found is None) != (case.reason is None):
        return f"{case.name}: {found or 'accepted'}"
    if found is not None and case.reason is not None and not re.search(case.reason, found):
        return f"{case.name}: refused for another reason: {found}"
    return None


def test_every_verdict(tmp_path: Path) -> None:
    corpus = build_corpus(seed=1)
    assert len(corpus) >= 300
    assert len({case.name for case in corpus}) == len(corpus)
    assert sum(case.reason is None for case in corpus) >= 150
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    wrong = [fault for case in corpus if (fault := judge(tmp_path / "file", case))]
    assert wrong == []
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MOST_GROWTH_KB
