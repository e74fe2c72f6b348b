"""Parts registered as rulesets, and asked about one order in as few batches as their levels need."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from engine.backends.live.conditions import Part, Reading, posted, rete_rules
from engine.backends.live.host import Host
from engine.backends.live.posting import Pattern, PostedFact
from engine.evaluate import Program
from engine.generate import Values
from engine.vocabulary import Vocabulary

IN_ONE_RULESET = 100
"""The library hangs on a ruleset with some 500 kinds of facts; up to 200 they cost no more each."""

Conclusion = tuple[int, str]
"""The number of a part, and the word that is concluded of it."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Network:
    """Parts by their numbers from 1; each ruleset but the last holds `IN_ONE_RULESET` of them."""

    host: Host[Conclusion]
    parts: tuple[Part, ...]
    rulesets: tuple[str, ...]
    ordinals: Mapping[str, int]


def register(
    host: Host[Conclusion],
    parts: Sequence[Part],
    vocabulary: Vocabulary,
    *,
    more: Iterable[tuple[Pattern, Conclusion]] = (),
) -> Network:
    """Register the rules of parts, and `more` rules with those of the first ruleset."""
    rulesets: list[str] = []
    for at in range(0, len(parts), IN_ONE_RULESET):
        rules = [*rete_rules(parts[at : at + IN_ONE_RULESET])]
        rulesets.append(host.register([*rules, *more] if at == 0 else rules))
    codes = dict.fromkeys(code for listed in vocabulary.lists.values() for code in listed.codes)
    ordinals = {code: number for number, code in enumerate(codes)}
    return Network(host, tuple(parts), tuple(rulesets), ordinals)


def conclude(
    network: Network, sid: str, program: Program, values: Values, wanted: Sequence[int]
) -> dict[int, str]:
    """What is concluded of the wanted parts and those they need, for values with what is derived.

    The caller forgets `sid`. Raises `BackendFailure` unless each part has one conclusion.
    """
    parts = network.parts
    numbers = {need for number in wanted for need in parts[number - 1].needs}.union(wanted)
    batches: dict[tuple[int, int], list[Part]] = {}
    for number in sorted(numbers):
        part = parts[number - 1]
        batches.setdefault((part.level, (number - 1) // IN_ONE_RULESET), []).append(part)
    concluded: dict[int, str] = {}
    reading = Reading(program, values, network.ordinals, concluded)
    for (_, at), batch in sorted(batches.items(), key=lambda item: item[0]):
        facts: list[PostedFact] = [posted(part, sid, reading) for part in batch]
        found = network.host.conclude(network.rulesets[at], sid, facts)
        if {number for number, _ in found} != {part.number for part in batch}:
            raise network.host.failure("wrong conclusions", "not of the parts that were posted")
        concluded.update(found)
    return concluded
