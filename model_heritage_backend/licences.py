"""What common licences of models ask of those who build on them.

A help for reading, no legal advice: what is here is short, and a licence's own text decides. Names
are SPDX identifiers and those of the Hugging Face hub, in small letters. A licence that is not in
the table is unknown, which is never the same as free.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

NOTICE = (
    "This is no legal advice: it repeats what people and files say and what the licences are known "
    "to ask for. A licence that is not known here may ask for anything."
)


class Restriction(StrEnum):
    """What a licence asks of whoever passes on a model that was made from the licensed one."""

    NON_COMMERCIAL = "non_commercial"
    NO_DERIVATIVES = "no_derivatives"
    SHARE_ALIKE = "share_alike"
    BEHAVIOURAL_USE = "behavioural_use"
    CUSTOM = "custom"
    ATTRIBUTION = "attribution"


WORDS = {
    Restriction.NON_COMMERCIAL: "no commercial use",
    Restriction.NO_DERIVATIVES: "no changed versions may be shared",
    Restriction.SHARE_ALIKE: "what is made from it must be shared under the same terms",
    Restriction.BEHAVIOURAL_USE: "some uses are forbidden",
    Restriction.CUSTOM: "terms of its own",
    Restriction.ATTRIBUTION: "its makers must be named",
}


@dataclass(frozen=True)
class Licence:
    """A known licence; ``restrictions`` in the order of ``Restriction``, empty when it has none."""

    key: str
    restrictions: tuple[Restriction, ...]


_FREE = "0bsd cc0-1.0 pddl unlicense wtfpl"
_ATTRIBUTION = """afl-3.0 apache-1.1 apache-2.0 artistic-2.0 bsd bsd-2-clause bsd-3-clause
    bsd-3-clause-clear bsl-1.0 cc-by-2.0 cc-by-2.5 cc-by-3.0 cc-by-4.0 cdla-permissive-1.0
    cdla-permissive-2.0 ecl-2.0 etalab-2.0 isc mit ncsa odc-by postgresql zlib"""
_COPYLEFT = """agpl-3.0 cc-by-sa-3.0 cc-by-sa-4.0 cdla-sharing-1.0 epl-1.0 epl-2.0 eupl-1.1 eupl-1.2
    gfdl gpl gpl-2.0 gpl-3.0 lgpl lgpl-2.1 lgpl-3.0 lgpl-lr mpl-2.0 ms-pl odbl ofl-1.1 osl-3.0"""
_RAIL = """bigcode-openrail-m bigscience-bloom-rail-1.0 bigscience-openrail-m creativeml-openrail-m
    openrail openrail++"""
_CUSTOM = "gemma llama2 llama3 llama3.1 llama3.2 llama3.3 llama4"
_RESEARCH = """apple-amlr deepfloyd-if-license fair-noncommercial-research-license h-research
    intel-research"""

_A, _S, _N, _D = (
    Restriction.ATTRIBUTION,
    Restriction.SHARE_ALIKE,
    Restriction.NON_COMMERCIAL,
    Restriction.NO_DERIVATIVES,
)
_B, _C = Restriction.BEHAVIOURAL_USE, Restriction.CUSTOM
_GROUPS: tuple[tuple[str, tuple[Restriction, ...]], ...] = (
    (_FREE, ()),
    (_ATTRIBUTION, (_A,)),
    (_COPYLEFT, (_S, _A)),
    (_RAIL, (_B, _A)),
    (_CUSTOM, (_B, _C, _A)),
    (_RESEARCH, (_N, _B, _C, _A)),
    ("apple-ascl", (_C, _A)),
    ("cc-by-nc-2.0 cc-by-nc-3.0 cc-by-nc-4.0", (_N, _A)),
    ("cc-by-nc-sa-2.0 cc-by-nc-sa-3.0 cc-by-nc-sa-4.0", (_N, _S, _A)),
    ("cc-by-nc-nd-3.0 cc-by-nc-nd-4.0", (_N, _D, _A)),
    ("cc-by-nd-4.0", (_D, _A)),
)
LICENCES = {
    key: Licence(key, tuple(sorted(restrictions, key=list(Restriction).index)))
    for keys, restrictions in _GROUPS
    for key in keys.split()
}
_ALIASES = {
    "apache": "apache-2.0",
    "apache-2": "apache-2.0",
    "apache2": "apache-2.0",
    "apache2.0": "apache-2.0",
    "bsd-2": "bsd-2-clause",
    "bsd-3": "bsd-3-clause",
    "cc0": "cc0-1.0",
    "agpl-3": "agpl-3.0",
    "gpl-2": "gpl-2.0",
    "gpl-3": "gpl-3.0",
    "lgpl-3": "lgpl-3.0",
    "mpl-2": "mpl-2.0",
    "gplv2": "gpl-2.0",
    "gplv3": "gpl-3.0",
    "agplv3": "agpl-3.0",
    "lgplv3": "lgpl-3.0",
    "llama-2": "llama2",
    "llama-3": "llama3",
    "llama-3.1": "llama3.1",
    "llama-3.2": "llama3.2",
    "llama-3.3": "llama3.3",
    "llama-4": "llama4",
    "odbl-1.0": "odbl",
    "odc-by-1.0": "odc-by",
    "pddl-1.0": "pddl",
}


def get_licence_key(text: str) -> str:
    """What a licence is looked for by: its key when it is known, else its text in small letters."""
    plain = text.strip().casefold()
    key = re.sub(r"[\s_]+", "-", plain)
    # "The MIT License", "Apache License 2.0", "GPL-3.0-or-later" and "GPL-3.0+" are the same ones.
    key = re.sub(r"^the-|-only$|-or-later$|(?<=\d)\+$", "", key)
    for candidate in (key, re.sub(r",?-?\blicen[cs]e\b,?(-version)?", "", key).strip("-")):
        candidate = re.sub(r"-v(?=\d)", "-", candidate)
        candidate = _ALIASES.get(candidate, candidate)
        if candidate in LICENCES:
            return candidate
    return plain


def find_licence(text: str | None) -> Licence | None:
    """None when nothing is said, or nothing is known of what is said."""
    return None if text is None else LICENCES.get(get_licence_key(text))


def list_dropped(parent: Licence, child: Licence) -> tuple[Restriction, ...]:
    """What the parent's licence asks for and the child's does not.

    Attribution is left out: hardly a licence goes without, and no conflict is worth telling for
    it. Terms of their own are only met by the same terms.
    """
    missing = {r for r in parent.restrictions if r not in child.restrictions}
    if Restriction.CUSTOM in parent.restrictions and parent.key != child.key:
        missing.add(Restriction.CUSTOM)
    if Restriction.NO_DERIVATIVES in parent.restrictions:
        missing.add(Restriction.NO_DERIVATIVES)
    return tuple(r for r in Restriction if r in missing and r is not Restriction.ATTRIBUTION)
